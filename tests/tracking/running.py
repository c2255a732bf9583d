"""A real web process over the test database, for tests that speak HTTP with it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import requests
from django.db import connection

from tracking.models import Source

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Web:
    """Where it answers, and the keys of its one source."""

    url: str
    public_key: str
    secret_key: str
    source: Source

    def post(self, path: str, document, key: str | None = None, **options) -> requests.Response:
        auth = None if key == "" else (key or self.public_key, "")
        return requests.post(self.url + path, json=document, auth=auth, timeout=20, **options)


@contextmanager
def web_process(database: str, **environment: str):
    """Run one on a free port; yields its base URL when it is ready."""
    listener = socket.create_server(("127.0.0.1", 0))
    os.set_inheritable(listener.fileno(), True)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    command = [sys.executable, "-W", "ignore", "-m", "uvicorn", "funnel_app.asgi:application"]
    command += ["--http", "funnel_app.slow_clients:PatientProtocol", "--no-access-log"]
    command += ["--fd", str(listener.fileno()), "--log-level", "warning"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**environment_for(database), **environment},
        pass_fds=[listener.fileno()],
    )
    try:
        _wait(url, process)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
        listener.close()


def environment_for(database: str) -> dict[str, str]:
    """The environment of a process of the product over that database."""
    settings = "tests.tracking.web_settings"
    return {**os.environ, "DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": settings}


def _wait(url: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the web process ended"
        try:
            if requests.get(url + "/readyz", timeout=5).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise AssertionError("the web process did not become ready")


def test_database_url() -> str:
    """The address of the database that this run of pytest made."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))


test_database_url.__test__ = False  # type: ignore[attr-defined]
