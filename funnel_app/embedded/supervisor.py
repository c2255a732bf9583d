"""`make run`: the whole product in one terminal until Ctrl-C.

    servers → database → web, worker, beat, relay → stop in reverse order

Run with `python -m funnel_app.embedded.supervisor` in the checkout. Settings
it reads itself: HOST, PORT, WEB_PROCESSES, WORKER_PROCESSES, DEMO,
DATABASE_URL, REDIS_URL, FUNNEL_RUN_FOLDER (docs/operations.md).
"""

import fcntl
import http.client
import os
import secrets
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TextIO

import environ

from .children import Child, Family, Stopped, tell
from .database import DatabaseMaker
from .errors import CannotStart
from .place import ROOT, Place, prepare_place, run_folder, write_secret
from .ports import listen_on
from .postgres import STOP_SIGNAL, Postgres
from .processes import PidRecord, spawn, stop
from .redis import Redis

# Celery warns of running as root, which is about pickled messages; ours are JSON only.
NO_ROOT_WARNING = "ignore:You're running the worker with superuser privileges"


class Supervisor:
    """One run of the product from the first server to the last stop."""

    def __init__(self) -> None:
        if (ROOT / ".env").exists():
            environ.Env.read_env(ROOT / ".env")
        self.host = os.environ.get("HOST") or "127.0.0.1"
        self.port = _whole_number("PORT", 8000)
        self.folder = run_folder()
        self.servers: list[Child] = []
        self.processes: list[Child] = []

    def run(self) -> int:
        """Start everything, serve, stop everything. Returns the exit code. Raises CannotStart."""
        place = prepare_place(self.folder)
        lock = self._take_lock()
        listener = listen_on(self.host, self.port)
        end_left_behind(self.folder)
        self.family = Family(self.folder)
        self.family.listen_to_signals()
        try:
            self.environment = self._common_environment()
            self._start_servers(place)
            self._start_processes(listener)
            while True:
                self.family.look_after(3600)
        except Stopped:
            return 0
        finally:
            self._stop_all()
            listener.close()
            lock.close()

    @property
    def address(self) -> str:
        """What to type into a browser on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"

    def _take_lock(self) -> TextIO:
        """Held as long as this process lives. Raises CannotStart when another one has it."""
        path = self.folder / "supervisor.lock"
        file = path.open("a+")
        for _ in range(20):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                time.sleep(0.05)
        else:
            raise CannotStart(
                path.read_text().strip() or "The product is already being started from this folder."
            )
        file.truncate(0)
        file.write(
            f"The product is already running at {self.address} (process {os.getpid()}); "
            "Ctrl-C there stops it.\n"
        )
        file.flush()
        return file

    def _common_environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "SECRET_KEY": os.environ.get("SECRET_KEY")
            or remembered_secret(self.folder / "secret-key"),
            "FUNNEL_RUN_FOLDER": str(self.folder),
            "PYTHONUNBUFFERED": "1",
        }

    def _start_servers(self, place: Place) -> None:
        """PostgreSQL and Redis unless others' addresses were given, then the database."""
        postgres = None if os.environ.get("DATABASE_URL") else Postgres(place)
        if postgres:
            self._start_postgres(postgres)
        if not os.environ.get("REDIS_URL"):
            self._start_redis(Redis(self.folder))
        maker = DatabaseMaker(self.family, self.environment)
        self.environment["DATABASE_URL"] = maker.make(postgres)
        if postgres:
            self._note_addresses()

    def _note_addresses(self) -> None:
        """Leave the addresses for `manage.py` in a second terminal; settings.py reads the file."""
        names = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")
        lines = [f"{name}='{self.environment[name]}'\n" for name in names]
        write_secret(self.folder / "environment", "".join(lines))

    def _start_postgres(self, postgres: Postgres) -> None:
        for name in [name for name in os.environ if name.startswith("PG")]:
            # Meant for some other server; they would change how ours is reached.
            del os.environ[name]
            self.environment.pop(name, None)
        tell("Starting PostgreSQL …")
        postgres.prepare()
        child = self.family.add(
            Child(
                "postgres",
                postgres.command,
                self.environment,
                stop_signal=STOP_SIGNAL,
                user=postgres.place.user,
                is_quiet=True,
                patience=30,
            )
        )
        self.servers.append(child)
        postgres.wait_until_ready(self.family.alive(child))

    def _start_redis(self, redis: Redis) -> None:
        tell("Starting Redis …")
        redis.prepare()
        child = self.family.add(Child("redis", redis.command, self.environment, is_quiet=True))
        self.servers.append(child)
        redis.wait_until_ready(self.family.alive(child))
        self.environment["REDIS_URL"] = redis.url()

    def _start_processes(self, listener: socket.socket) -> None:
        tell("Starting web, worker, beat and relay …")
        for child in product_processes(listener, self.environment, self.folder):
            self.processes.append(self.family.add(child))
        # Asked for while the web process starts, so that nobody waits for it.
        sign_ins = spawn([sys.executable, "manage.py", "sign_ins"], environment=self.environment)
        self._wait_for_the_web()
        told, _ = sign_ins.communicate(timeout=60)
        tell(f"\nThe funnel is open at {self.address}  (Ctrl-C stops it)\n{told.decode()}")

    def _wait_for_the_web(self, patience: float = 90) -> None:
        deadline = time.monotonic() + patience
        while not self._web_answers():
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"The web process did not answer at {self.address} within {patience:.0f} s."
                )
            self.family.look_after(0.3)

    def _web_answers(self) -> bool:
        connection = http.client.HTTPConnection(self.address.split("/")[2], timeout=5)
        try:
            connection.request("GET", "/livez")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()

    def _stop_all(self) -> None:
        """First what writes, then what it writes to."""
        tell("Stopping …")
        self.family.stop(self.processes)
        self.family.stop(self.servers)
        tell("Stopped; everything is kept for the next make run.")


def product_processes(
    listener: socket.socket, environment: dict[str, str], folder: Path
) -> list[Child]:
    """The processes that the product itself consists of; every kind may run several times."""
    python = [sys.executable, "-m"]
    web = [
        "uvicorn",
        "funnel_app.asgi:application",
        "--http",
        "funnel_app.slow_clients:PatientProtocol",
        "--fd",
        str(listener.fileno()),
        "--log-level",
        "warning",
    ]
    web += ["--no-access-log", "--no-server-header", "--timeout-graceful-shutdown", "4"]
    celery = ["celery", "--app", "funnel_app", "--quiet"]
    worker = [
        *celery,
        "worker",
        "--concurrency",
        str(_whole_number("WORKER_PROCESSES", 1)),
        "--loglevel",
        "WARNING",
    ]
    worker += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    beat = [
        *celery,
        "beat",
        "--loglevel",
        "WARNING",
        "--pidfile=",
        "--schedule",
        str(folder / "beat-schedule"),
    ]
    webs = _whole_number("WEB_PROCESSES", 1)
    names = ["web"] if webs == 1 else [f"web-{number}" for number in range(1, webs + 1)]
    keep_open = (listener.fileno(),)
    return [
        *(Child(name, lambda: python + web, environment, keep_open=keep_open) for name in names),
        Child("worker", lambda: python + worker, environment | {"PYTHONWARNINGS": NO_ROOT_WARNING}),
        Child("beat", lambda: python + beat, environment),
        Child("relay", lambda: [sys.executable, "manage.py", "relay"], environment),
    ]


def end_left_behind(folder: Path) -> None:
    """End children of a supervisor that was killed (Postgres.prepare does it for PostgreSQL)."""
    left = PidRecord(folder / "processes.json").left_behind()
    others = [process for name, process in left.items() if name != "postgres"]
    if others:
        tell("Ending processes that an earlier, killed run left behind …")
        stop(stop(others, signal.SIGTERM, 8), signal.SIGKILL, 5)


def remembered_secret(path: Path) -> str:
    """A SECRET_KEY of this checkout's own, made once and readable by its owner only."""
    if not path.exists() or not path.read_text().strip():
        write_secret(path, secrets.token_urlsafe(50))
    return path.read_text().strip()


def _whole_number(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise CannotStart(f"{name} must be a whole number from 1 to 65535, not '{text}'.")
    return int(text)


def main() -> int:
    """Entry point; tells in one sentence why the product cannot be started."""
    os.chdir(ROOT)
    os.umask(0o022)
    try:
        return Supervisor().run()
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
