"""Servers of a benchmark's own: a scratch database, and web processes on one core."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg
from psycopg import sql

from funnel_app.embedded.place import prepare_place
from funnel_app.embedded.postgres import STOP_SIGNAL, Postgres
from funnel_app.embedded.processes import spawn

ROOT = Path(__file__).resolve().parent.parent


@contextlib.contextmanager
def scratch_database(core: int | None) -> Iterator[str]:
    """The address of an empty database, with all migrations applied; dropped afterwards.

    On the server that DATABASE_URL names, or on a packaged one started for this, all of it
    on `core` (None: any).
    """
    with contextlib.ExitStack() as stack:
        base = os.environ.get("DATABASE_URL") or stack.enter_context(_packaged_postgres(core))
        name = f"bench_{uuid.uuid4().hex[:8]}"
        with psycopg.connect(base, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        url = urlunsplit(urlsplit(base)._replace(path=f"/{name}"))
        try:
            manage(url, "migrate", "-v0")
            yield url
        finally:
            with psycopg.connect(base, autocommit=True) as connection:
                drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
                connection.execute(drop)


@contextlib.contextmanager
def _packaged_postgres(core: int | None) -> Iterator[str]:
    postgres = Postgres(prepare_place(ROOT / ".run" / "bench"))
    postgres.prepare()
    with (ROOT / ".run" / "bench" / "postgres.log").open("wb") as log:
        process = spawn(
            postgres.command(),
            environment=dict(os.environ),
            stop_signal=STOP_SIGNAL,
            user=postgres.place.user,
            output=log,
        )
    try:
        pin(process.pid, core)
        postgres.wait_until_ready(lambda: process.poll() is None)
        yield postgres.url("postgres")
    finally:
        process.send_signal(STOP_SIGNAL)
        process.wait(30)


@contextlib.contextmanager
def web_process(database: str, core: int | None, **environment: str) -> Iterator[int]:
    """One web process as `make run` starts it; yields its port when it is ready."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    command = [sys.executable, "-W", "ignore", "-m", "uvicorn", "funnel_app.asgi:application"]
    command += ["--http", "funnel_app.slow_clients:PatientProtocol", "--no-access-log"]
    command += ["--no-server-header", "--fd", str(listener.fileno()), "--log-level", "warning"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database, **environment},
        pass_fds=[listener.fileno()],
    )
    port = listener.getsockname()[1]
    try:
        pin(process.pid, core)
        _wait(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(20)
        listener.close()


class Meter:
    """Seconds of CPU that a web process and everybody connected to the database have used."""

    def __init__(self, port: int, database: str) -> None:
        self.web = _listener_on(port)
        self.database = database

    def read(self) -> float:
        return self.web_seconds() + self.database_seconds()

    def web_seconds(self) -> float:
        return _cpu_seconds(self.web)

    def database_seconds(self) -> float:
        """Those of the database connections alone."""
        with psycopg.connect(self.database) as connection:
            query = """SELECT pid FROM pg_stat_activity
                        WHERE datname = current_database() AND backend_type = 'client backend'"""
            return sum(_cpu_seconds(pid) for (pid,) in connection.execute(query))


def _listener_on(port: int) -> int:
    """The child of this process that serves the port."""
    for child in psutil.Process().children():
        if any(place.laddr.port == port for place in child.net_connections(kind="tcp")):
            return child.pid
    raise LookupError(f"Nobody serves port {port}.")


def _cpu_seconds(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return times.user + times.system


def pin_backends(database: str, core: int | None) -> None:
    """Put the database connections of everybody in this database on `core`."""
    if core is None:
        return
    with psycopg.connect(database) as connection:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        for (pid,) in connection.execute(query):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.sched_setaffinity(pid, {core})


def pin(pid: int, core: int | None) -> None:
    if core is not None:
        os.sched_setaffinity(pid, {core})


def manage(database: str, *command: str) -> str:
    """Run a management command; returns what it printed."""
    environment = {**os.environ, "DATABASE_URL": database, "STATEMENT_TIMEOUT_MS": "0"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def _wait(port: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit("The web process ended.")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise SystemExit("The web process did not become ready.")
