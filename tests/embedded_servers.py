"""Gives pytest a real PostgreSQL and a real Redis when no addresses are set.

A pytest plugin (pyproject.toml names it): it has to act before Django reads its
settings. Each run of pytest in a checkout has a set of servers to itself, in
`.run/tests-<n>`; their data stays, and with it the migrated database.
"""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TextIO

import pytest

from funnel_app.embedded.children import open_log
from funnel_app.embedded.errors import CannotStart
from funnel_app.embedded.place import ROOT, prepare_place
from funnel_app.embedded.postgres import STOP_SIGNAL, Postgres
from funnel_app.embedded.processes import spawn
from funnel_app.embedded.redis import Redis

NEEDS_NO_SERVERS = {
    "--help",
    "-h",
    "--version",
    "-V",
    "--collect-only",
    "--co",
    "--fixtures",
    "--markers",
}
# Tests start the product over and over. Where Python may not keep what it compiled, each process
# would compile all of it again, which takes longer than most tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Databases are made and dropped between tests, which a busy disk may take long over.
os.environ.setdefault("STATEMENT_TIMEOUT_MS", "60000")
ADDRESSES = ("DATABASE_URL", "REDIS_URL")


class Servers:
    """The servers of one run of pytest: they start and stop together and die with it."""

    def __init__(self) -> None:
        self.folder, self._lock = _take_folder()
        self._stops: list[Callable[[], None]] = []

    def start(self) -> None:
        """Start what has no address yet and put its address into the environment."""
        if not os.environ.get("DATABASE_URL"):
            postgres = Postgres(prepare_place(self.folder))
            postgres.prepare()
            process = self._spawn("postgres", postgres.command(), STOP_SIGNAL, postgres.place.user)
            postgres.wait_until_ready(lambda: process.poll() is None)
            os.environ["DATABASE_URL"] = postgres.url("funnel")
        if not os.environ.get("REDIS_URL"):
            redis = Redis(self.folder)
            redis.prepare()
            process = self._spawn("redis", redis.command())
            redis.wait_until_ready(lambda: process.poll() is None)
            os.environ["REDIS_URL"] = redis.url()

    def stop(self) -> None:
        """Stop them, last started first, and leave the folder to another run."""
        while self._stops:
            self._stops.pop()()
        self._lock.close()

    def _spawn(
        self, name: str, command: list[str], stop_signal: int = 15, user: str | None = None
    ) -> "subprocess.Popen[bytes]":
        with open_log(self.folder / f"{name}.log") as log:
            process = spawn(
                command,
                environment=dict(os.environ),
                stop_signal=stop_signal,
                user=user,
                output=log,
            )

        def stop() -> None:
            process.send_signal(stop_signal)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()

        self._stops.append(stop)
        return process


def _take_folder() -> tuple[Path, TextIO]:
    """The first of `.run/tests-0`, `-1`, … that no other run of pytest holds."""
    for number in range(100):
        folder = ROOT / ".run" / f"tests-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        return folder, lock
    raise CannotStart("A hundred runs of pytest hold all test servers of this checkout.")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> Generator[None]:
    """Start the servers before pytest-django loads the settings (a wrapper runs before all others).

    The workers of pytest-xdist inherit the addresses from the process that starts them.
    """
    if not all(map(os.environ.get, ADDRESSES)) and not NEEDS_NO_SERVERS & set(args):
        servers = Servers()
        early_config.add_cleanup(servers.stop)
        try:
            servers.start()
        except CannotStart as reason:
            raise pytest.UsageError(str(reason)) from reason
    return (yield)
