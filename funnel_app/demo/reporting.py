"""Says how far the loading is: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import Any, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed

SECONDS_BETWEEN_LINES = 5


class Bar:
    """One bar for each step."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description:22}"),
            BarColumn(),
            MofNCompleteColumn(),
            Elapsed(),
        )
        self._bars = Progress(*columns)
        self._steps: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._bars.stop()

    def __call__(self, step: str, done: int, total: int) -> None:
        if step not in self._steps:
            self._steps[step] = self._bars.add_task(step, total=total)
        self._bars.update(self._steps[step], completed=done, total=total)


class Lines:
    """A line when a step ends, and every few seconds in between. `out` has a write method."""

    def __init__(self, out: Any) -> None:
        self._out = out
        self._said_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: Any) -> None:
        return None

    def __call__(self, step: str, done: int, total: int) -> None:
        is_due = time.monotonic() - self._said_at >= SECONDS_BETWEEN_LINES
        if done and (done >= total or is_due):
            self._out.write(f"{step}: {done:,} of {total:,}")
            self._out.flush()
            self._said_at = time.monotonic()
