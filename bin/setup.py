"""What `make run`, `make test` and `make lock` do; see the Makefile.

Brings an empty machine to a working product: Python environment, front-end
files, compiled translations, a browser for the tests. Each step leaves a stamp
and is skipped while what it was made from has not changed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Container, Iterator
from contextlib import contextmanager

from browser import ensure_browser
from environment import PYTHON, compile_locks, ensure_environment
from frontend import ensure_frontend_files, lock_frontend_files
from telling import ROOT, RUN_FOLDER, CannotGoOn, require_room, run_told, say

CHECKS = {
    "ruff": ["-m", "ruff", "check"],
    "ruff format": ["-m", "ruff", "format", "--check"],
    "mypy": ["-m", "mypy", "."],
    "import-linter": [
        "-c",
        "import sys; from importlinter.cli import lint_imports_command as c; sys.exit(c())",
    ],
}

# Takes a minute of one processor: it goes on beside the tests.
SLOW = ("mypy",)
Checks = dict[str, "subprocess.Popen[str]"]

# Two processes for each core, for many tests wait for a browser or a server. The tests of one file
# stay together and in order; long files begin first (tests/conftest.py).
PROCESSES = min(4, 2 * (os.cpu_count() or 1))
ALL_TESTS = ("-n", str(PROCESSES), "--dist", "loadscope", "--no-loadscope-reorder")
BABEL = ("-m", "babel.messages.frontend", "compile")


def run() -> None:
    """Set up and turn into the supervisor, which serves until Ctrl-C."""
    require_room(500)
    _require_free_port()
    with _one_at_a_time():
        ensure_environment("embedded")
        ensure_frontend_files()
        compile_translations()
        collect_static_files()
    os.execv(PYTHON, [str(PYTHON), "-m", "funnel_app.embedded.supervisor"])


def test(arguments: list[str]) -> int:
    """Set up, then the static checks and all tests; with arguments only the tests they select."""
    require_room(500)
    with _one_at_a_time():
        ensure_environment("dev")
        ensure_frontend_files(with_tests=True)
        compile_translations()
        collect_static_files()
        chromium = ensure_browser()
    environment = os.environ | ({"CHROMIUM": chromium} if chromium else {})
    command = [str(PYTHON), "-m", "pytest", *(arguments or ALL_TESTS)]
    with running_checks({} if arguments else CHECKS) as checks:
        failed = tell_checks(checks, but=SLOW)
        code = subprocess.run(command, cwd=ROOT, env=environment).returncode
        failed += tell_checks(checks)
    if failed:
        say(f"These checks failed: {', '.join(failed)}.")
    return code or bool(failed)


@contextmanager
def running_checks(commands: dict[str, list[str]]) -> Iterator[Checks]:
    """Start the checks, which need no database, at once; none of them outlives the block."""
    checks = {name: _start_check(command) for name, command in commands.items()}
    started = list(checks.values())
    try:
        yield checks
    finally:
        for check in started:
            if check.poll() is None:
                check.terminate()
                check.wait()


def tell_checks(checks: Checks, but: Container[str] = ()) -> list[str]:
    """Wait for the checks that were not told yet; what each says stands together under its name.

    Takes them out of `checks`, without those of `but`; returns the names of those that failed.
    """
    failed = []
    for name in [name for name in checks if name not in but]:
        check = checks.pop(name)
        say(f"Checking with {name} …")
        said, _ = check.communicate()
        print(said, end="", flush=True)
        if check.returncode:
            failed.append(name)
    return failed


def _start_check(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(PYTHON), *command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def static() -> None:
    """Only collect the static files; the tests in a browser ask for this."""
    require_room(100)
    with _one_at_a_time():
        collect_static_files()


def lock() -> None:
    with _one_at_a_time():
        ensure_environment("dev")
        compile_locks()
        lock_frontend_files()


def compile_translations() -> None:
    """Compile locale/*.po to .mo with Babel, where a .po is newer."""
    for catalogue in sorted(ROOT.glob("locale/*/LC_MESSAGES/*.po")):
        compiled = catalogue.with_suffix(".mo")
        if compiled.exists() and compiled.stat().st_mtime >= catalogue.stat().st_mtime:
            continue
        say(f"Compiling {catalogue.relative_to(ROOT)} …")
        run_told(
            [str(PYTHON), *BABEL, "--input-file", str(catalogue), "--output-file", str(compiled)],
            log=RUN_FOLDER / "translations.log",
            what=f"Compiling {catalogue.relative_to(ROOT)}",
        )


def collect_static_files() -> None:
    """Gather static files under hashed, compressed names, when one of them has changed."""
    files = sorted(path for path in (ROOT / "static").rglob("*") if path.is_file())
    facts = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    locks = sorted((ROOT / "requirements").glob("*.txt"))  # Django's admin brings files, too
    text = repr(facts).encode() + b"".join(path.read_bytes() for path in locks)
    stamp, wanted = RUN_FOLDER / "static" / ".collected", hashlib.sha256(text).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say("Collecting static files …")
    run_told(
        [str(PYTHON), "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
        log=RUN_FOLDER / "static.log",
        what="Collecting static files",
    )
    stamp.write_text(wanted)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Only one set-up works in this checkout at any moment; another waits for it."""
    with (RUN_FOLDER / "setup.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("Another set-up is at work in this folder; waiting for it to finish …")
            fcntl.flock(file, fcntl.LOCK_EX)
        # Inherited: when we are killed, the lock stays until the command under way has ended, too.
        os.set_inheritable(file.fileno(), True)
        yield


def _require_free_port() -> None:
    """Say at once what the supervisor would only find out after minutes of set-up."""
    running = _running_already()
    if running:
        raise CannotGoOn(running)
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    if not port.isdigit() or not 1 <= int(port) <= 65535:
        raise CannotGoOn(f"PORT must be a whole number from 1 to 65535, not '{port}'.")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError as error:
            raise CannotGoOn(
                f"The address {host}:{port} cannot be used ({error.strerror}); "
                "choose another with PORT=8001 make run."
            ) from error


def _running_already() -> str | None:
    """The sentence for a second `make run`, when the first one holds its lock."""
    note = RUN_FOLDER / "supervisor.lock"
    try:
        with note.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except OSError:
        return note.read_text().strip() or "The product is already running from this folder."
    return None


def main() -> int:
    os.chdir(ROOT)
    os.umask(0o022)  # PostgreSQL may run as another user, who must be able to read its program
    verb, arguments = sys.argv[1], sys.argv[2:]
    try:
        if verb == "run":
            run()
        elif verb == "test":
            return test(arguments)
        elif verb == "lock":
            lock()
        elif verb == "static":
            static()
        else:
            raise CannotGoOn(f"bin/setup.py knows run, test, lock and static, not {verb}.")
    except CannotGoOn as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
