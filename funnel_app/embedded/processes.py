"""Child processes that never outlive the process which started them.

On Linux the kernel signals a child when its parent dies, however the parent
died. Elsewhere, and in the moments in between, the next start finds what was
left behind in a record of pids; a pid is only believed when the process under
it started at the recorded time.
"""

import ctypes
import json
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import psutil

PR_SET_PDEATHSIG = 1
# Loaded here and not between fork and exec, where nothing may be imported.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with(parent: int, with_signal: int) -> None:
    """Ask the kernel to send this process `with_signal` when the process `parent` dies.

    To be called in the child. Without effect where the kernel cannot do it.
    """
    if _libc is None:
        return
    _libc.prctl(PR_SET_PDEATHSIG, with_signal)
    if os.getppid() != parent:  # it died before we asked
        os.kill(os.getpid(), with_signal)


def spawn(
    command: Sequence[str],
    *,
    environment: dict[str, str],
    stop_signal: int = signal.SIGTERM,
    user: str | None = None,
    keep_open: Sequence[int] = (),
    output: int | IO[bytes] | None = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own; both its outputs go to `output` (None: our terminal).

    Its own session keeps a terminal's Ctrl-C from reaching it: the supervisor
    stops children in an order. `user` is a Linux user name, for root only.
    """
    parent = os.getpid()
    return subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        start_new_session=True,
        pass_fds=keep_open,
        # After the change of user, which would reset the wish.
        preexec_fn=lambda: die_with(parent, stop_signal),
        **as_user(user),
    )


def as_user(name: str | None) -> dict[str, Any]:
    """The arguments of `subprocess` that run a command as that Linux user; none for ourselves."""
    if name is None:
        return {}
    entry = pwd.getpwnam(name)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


class PidRecord:
    """The children of one supervisor in a file: name → [pid, start time in seconds since 1970]."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[str, list[float]] = {}

    def note(self, name: str, pid: int) -> None:
        """Write down a child just started."""
        try:
            self.entries[name] = [pid, psutil.Process(pid).create_time()]
        except psutil.NoSuchProcess:
            return
        partial = self.path.with_suffix(".new")
        partial.write_text(json.dumps(self.entries))
        partial.replace(self.path)

    def left_behind(self) -> dict[str, psutil.Process]:
        """Those processes of the file's last writer that still run."""
        try:
            entries = json.loads(self.path.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        alive = {}
        for name, (pid, started) in entries.items():
            process = same_process(int(pid), started)
            if process:
                alive[name] = process
        return alive


def same_process(pid: int, started: float) -> psutil.Process | None:
    """The running process with this pid, if it started then (± 2 s for clock changes)."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE or abs(process.create_time() - started) > 2:
            return None
    except psutil.Error:
        return None
    return process


def stop(
    processes: Sequence[psutil.Process], with_signal: int, patience: float
) -> list[psutil.Process]:
    """Signal the processes and wait up to `patience` seconds; returns those that still run."""
    for process in processes:
        try:
            process.send_signal(with_signal)
        except psutil.Error:
            continue
    deadline = time.monotonic() + patience
    alive = list(processes)
    while alive and time.monotonic() < deadline:
        alive = [process for process in alive if _runs(process)]
        time.sleep(0.05)
    return alive


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def kill_session(leader: int) -> None:
    """Kill what a dead child left in its session (worker pools outlive a killed worker)."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
