"""The supervisor's children: started, listened to, started again after a death, stopped."""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .processes import PidRecord, kill_session, spawn

SHORTEST_DELAY, LONGEST_DELAY = 0.2, 10.0  # seconds between a death and the next start
STABLE_AFTER = 20.0  # seconds of life after which a death counts as the first again
SHOWN_AFTER_DEATH = 8  # lines
LARGEST_LOG = 10_000_000  # bytes


class Stopped(Exception):
    """Somebody asked the supervisor to stop while it was starting."""


@dataclass
class Child:
    """One kind of process to keep alive. `is_quiet`: its output goes to its log file only."""

    name: str
    command: Callable[[], list[str]]
    environment: dict[str, str]
    stop_signal: int = signal.SIGTERM
    user: str | None = None
    keep_open: tuple[int, ...] = ()
    is_quiet: bool = False
    patience: float = 8.0  # seconds between asking it to stop and killing it

    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float | None = None
    delay: float = SHORTEST_DELAY
    unfinished: bytes = b""

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Family:
    """All children of one supervisor and the loop that looks after them.

    One thread only: the kernel ties a child's life to the thread that started it.
    """

    def __init__(self, folder: Path) -> None:
        self.children: list[Child] = []
        self.is_stopping = False
        self._asked_to_stop = 0
        self._logs = folder / "logs"
        self._logs.mkdir(exist_ok=True)
        self._record = PidRecord(folder / "processes.json")
        self._selector = selectors.DefaultSelector()
        self._wake_reader, self._wake_writer = os.pipe()
        for end in (self._wake_reader, self._wake_writer):
            os.set_blocking(end, False)
        self._selector.register(self._wake_reader, selectors.EVENT_READ)

    def listen_to_signals(self) -> None:
        """Ctrl-C, `kill` and a closed terminal end the loop; a child's death wakes it."""
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def add(self, child: Child) -> Child:
        """Start a child and keep it alive from now on."""
        self.children.append(child)
        self._start(child)
        return child

    def look_after(self, seconds: float) -> None:
        """Pass on output and start the dead again for up to `seconds`.

        Raises Stopped when asked to stop.
        """
        for key, _ in self._selector.select(self._time_to_wait(seconds)):
            if key.fd == self._wake_reader:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_reader, 4096)
            else:
                self._read(key.data)
        for child in self.children:
            self._tend(child)
        if self._asked_to_stop and not self.is_stopping:
            raise Stopped

    def alive(self, child: Child) -> Callable[[], bool]:
        """A question for waiting loops: does it live? Looks after all children meanwhile."""

        def ask() -> bool:
            self.look_after(0)
            return child.is_alive

        return ask

    def run_once(self, command: list[str], environment: dict[str, str]) -> int:
        """Run a command to its end with our own terminal as its output; returns its exit code.

        Raises Stopped, after ending the command, when asked to stop meanwhile.
        """
        process = spawn(command, environment=environment, output=None)
        self._record.note("one-off", process.pid)
        try:
            while process.poll() is None:
                self.look_after(0.5)
        except Stopped:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
            process.wait()
            raise
        return process.returncode

    def stop(self, children: list[Child]) -> None:
        """Ask these children to end; kill those that outstay their patience.

        A second Ctrl-C takes the patience away, but never PostgreSQL's.
        """
        self.is_stopping = True
        asked_before = self._asked_to_stop
        for child in children:
            child.start_again_at = None
            if child.is_alive and child.process:
                child.process.send_signal(child.stop_signal)
        asked_at = time.monotonic()
        while any(child.is_alive for child in children):
            self.look_after(0.1)
            for child in children:
                is_over = (
                    time.monotonic() - asked_at > child.patience
                    or self._asked_to_stop > asked_before
                )
                if (
                    child.is_alive
                    and child.process
                    and is_over
                    and child.stop_signal == signal.SIGTERM
                ):
                    child.process.kill()
                elif (
                    child.is_alive
                    and child.process
                    and time.monotonic() - asked_at > child.patience
                ):
                    child.process.send_signal(signal.SIGQUIT)
        for child in children:
            self._tend(child)

    def _ask_to_stop(self, *_: object) -> None:
        self._asked_to_stop += 1

    def _time_to_wait(self, seconds: float) -> float:
        due = [child.start_again_at for child in self.children if child.start_again_at is not None]
        return max(0.0, min([seconds, *(at - time.monotonic() for at in due)]))

    def _start(self, child: Child) -> None:
        child.start_again_at = None
        child.started_at = time.monotonic()
        with (
            open_log(self._log_of(child))
            if child.is_quiet
            else contextlib.nullcontext(subprocess.PIPE) as output
        ):
            child.process = spawn(
                child.command(),
                environment=child.environment,
                stop_signal=child.stop_signal,
                user=child.user,
                keep_open=child.keep_open,
                output=output,
            )
        self._record.note(child.name, child.process.pid)
        if child.process.stdout:
            os.set_blocking(child.process.stdout.fileno(), False)
            self._selector.register(child.process.stdout, selectors.EVENT_READ, child)

    def _log_of(self, child: Child) -> Path:
        return self._logs / f"{child.name}.log"

    def _tend(self, child: Child) -> None:
        """Notice a death, clear up behind it, and start it again when its time has come."""
        if child.process is not None and child.process.poll() is not None:
            self._bury(child)
        if (
            child.start_again_at is not None
            and time.monotonic() >= child.start_again_at
            and not self.is_stopping
        ):
            self._start(child)

    def _bury(self, child: Child) -> None:
        process = child.process
        assert process is not None
        kill_session(process.pid)
        self._stop_reading(child)
        child.process = None
        if self.is_stopping:
            return
        if time.monotonic() - child.started_at > STABLE_AFTER:
            child.delay = SHORTEST_DELAY
        how = describe_exit(process.returncode)
        tell(f"{child.name} ended ({how}); starting it again in {child.delay:.1f} s.")
        if child.is_quiet and process.returncode >= 0:  # it gave up by itself, so it said why
            for line in (
                self._log_of(child).read_text(errors="replace").splitlines()[-SHOWN_AFTER_DEATH:]
            ):
                tell(f"{child.name:9}| {line}")
        child.start_again_at = time.monotonic() + child.delay
        child.delay = min(child.delay * 2, LONGEST_DELAY)

    def _stop_reading(self, child: Child) -> None:
        output = child.process and child.process.stdout
        if not output:
            return
        while output in self._selector.get_map() and self._read(child):
            pass
        if output in self._selector.get_map():
            self._selector.unregister(output)
        output.close()

    def _read(self, child: Child) -> bool:
        """Pass on the whole lines a child has written; says if there was anything."""
        assert child.process is not None and child.process.stdout is not None
        try:
            data = os.read(child.process.stdout.fileno(), 65536)
        except BlockingIOError:
            return False
        if not data:
            self._selector.unregister(
                child.process.stdout
            )  # closed; else it would be "readable" for ever
        *lines, child.unfinished = (child.unfinished + data).split(b"\n")
        for line in lines:
            tell(f"{child.name:9}| {line.decode(errors='replace').rstrip()}")
        return bool(data)


def open_log(path: Path) -> IO[bytes]:
    """The log file to append to, emptied when it has grown large."""
    is_large = path.exists() and path.stat().st_size > LARGEST_LOG
    return path.open("wb" if is_large else "ab")


def describe_exit(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def tell(line: str) -> None:
    """Print a line at once; a closed terminal is no reason to die."""
    with contextlib.suppress(OSError, ValueError):
        print(line, file=sys.stdout, flush=True)
