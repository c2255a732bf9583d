"""How set-up speaks: plain lines while it works, one sentence when it cannot go on.

Only the standard library may be used in this folder: it runs before anything
is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUN_FOLDER = ROOT / ".run"
SECONDS_BETWEEN_LINES = 6


class CannotGoOn(Exception):
    """Set-up cannot be completed; the message is one full sentence for the terminal."""


def say(line: str) -> None:
    """Print one line of progress at once, also when the output is a file or a pipe."""
    print(line, flush=True)


def run_told(
    command: Sequence[str],
    *,
    log: Path,
    what: str,
    progress: Callable[[list[str]], str] | None = None,
    environment: dict[str, str] | None = None,
) -> None:
    """Run a command; its output goes to the file `log`, a line of progress to the terminal.

    `progress` puts the output so far into a few words. Raises CannotGoOn with the
    command's own last error line when it fails.
    """
    with log.open("w") as record:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=record,
            stderr=subprocess.STDOUT,
            close_fds=False,  # keeps the lock of set-up, the one open file it inherits
        )
    try:
        _wait_telling(process, log, progress or (lambda _: "at work"))
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if process.returncode:
        lines = log.read_text(errors="replace").splitlines()
        raise CannotGoOn(explain_failure(what, lines, log))


def _wait_telling(
    process: subprocess.Popen[bytes], log: Path, progress: Callable[[list[str]], str]
) -> None:
    """Wait for the end of the command, with a sign of life every few seconds."""
    while True:
        try:
            process.wait(SECONDS_BETWEEN_LINES)
            return
        except subprocess.TimeoutExpired:
            say(f"  … {progress(log.read_text(errors='replace').splitlines())}")


def explain_failure(what: str, lines: list[str], log: Path) -> str:
    """One sentence out of a failed command's output: the cause where it is a known one."""
    output = "\n".join(lines)
    if "No space left on device" in output or "ENOSPC" in output:
        return f"{what} failed because the disk is full; free some space and run the command again."
    if "Permission denied" in output or "EACCES" in output:
        return f"{what} failed because a folder may not be written to; see {log.relative_to(ROOT)}."
    errors = [line.strip() for line in lines if "error" in line.lower()]
    last = (errors or [line.strip() for line in lines if line.strip()] or ["no output"])[-1]
    return (
        f"{what} failed ({last.rstrip('.')[:300]}); the whole output is in {log.relative_to(ROOT)}."
    )


def require_room(megabytes: int) -> None:
    """Refuse to start work that the disk cannot hold, or in a folder that may not be written to."""
    try:
        RUN_FOLDER.mkdir(exist_ok=True)
        # PostgreSQL, as root, runs as another user who must be able to pass through.
        if RUN_FOLDER.stat().st_uid == os.geteuid():
            RUN_FOLDER.chmod(0o755)
        probe = RUN_FOLDER / f".probe-{os.getpid()}"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise CannotGoOn(
            f"The folder {ROOT} cannot be written to by this user ({error.strerror}); "
            "clone the repository to a place of your own."
        ) from error
    free = shutil.disk_usage(ROOT).free // 2**20
    if free < megabytes:
        raise CannotGoOn(
            f"There is not enough disk space for {ROOT}: "
            f"{free} MB are free, {megabytes} MB are needed."
        )
