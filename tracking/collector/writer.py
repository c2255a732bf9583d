"""Group commit: whatever waits is stored by one transaction, then everybody is answered.

There is one writer per process. While it waits for a commit, the next requests queue
up and become the next group, so groups grow by themselves when the load does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter, deque
from dataclasses import dataclass, field

import psycopg

from tracking.collector.copying import Copier
from tracking.collector.database import DatabaseAway, Link
from tracking.storing import (
    QUARANTINE,
    STORE,
    Note,
    Rejects,
    quarantine_parameters,
    store_parameters,
)

log = logging.getLogger(__name__)

MOST_WAITING_BYTES = 64_000_000  # of request bodies; more is answered 429
MOST_ROWS_PER_COMMIT = 5_000


class QueueFull(Exception):
    """More is waiting than we want to hold in memory; the sender should come again later."""


@dataclass(slots=True)
class Submission:
    """One request's worth: prepared rows, counts of rejected messages, size in bytes, and
    what the debugger notes of it."""

    rows: list[dict]
    rejects: Rejects
    size: int
    notes: list[Note] = field(default_factory=list)
    done: asyncio.Future[None] = field(init=False)

    def settle(self, error: Exception | None) -> None:
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


class Writer:
    """The queue and the one task that empties it."""

    def __init__(self) -> None:
        self._link = Link()
        self._copier = Copier(self._link)
        self._queue: deque[Submission] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._task: asyncio.Task | None = None

    @property
    def waiting_bytes(self) -> int:
        return self._bytes

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Store what waits, then end."""
        if self._task is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(4):
                while self._bytes:
                    await asyncio.sleep(0.01)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self._link.close()

    async def store(self, submission: Submission) -> None:
        """Returns when everything is committed. Raises QueueFull or DatabaseAway."""
        if self._bytes + submission.size > MOST_WAITING_BYTES:
            raise QueueFull
        submission.done = asyncio.get_running_loop().create_future()
        self._queue.append(submission)
        self._bytes += submission.size
        self._wake.set()
        await submission.done

    async def _run(self) -> None:
        while True:
            if not self._queue:
                self._wake.clear()
                await self._wake.wait()
            group = self._take()
            try:
                await self._store_group(group)
            except DatabaseAway as error:
                # Who queued up meanwhile has waited long enough, too.
                self._settle([*group, *self._take_all()], error)
            except Exception:
                log.exception("A group of events could not be stored.")
                self._settle(group, DatabaseAway("unexpected"))
            else:
                self._settle(group, None)

    def _take(self) -> list[Submission]:
        group = [self._queue.popleft()]
        count = len(group[0].rows)
        while self._queue and count < MOST_ROWS_PER_COMMIT:
            group.append(self._queue.popleft())
            count += len(group[-1].rows)
        return group

    def _take_all(self) -> list[Submission]:
        everything, self._queue = list(self._queue), deque()
        return everything

    def _settle(self, group: list[Submission], error: Exception | None) -> None:
        for submission in group:
            self._bytes -= submission.size
            submission.settle(error)

    async def _store_group(self, group: list[Submission]) -> None:
        rows = [row for submission in group for row in submission.rows]
        rejects: Counter[tuple[int, str]] = Counter()
        for submission in group:
            rejects.update(submission.rejects)
        notes = [note for submission in group for note in submission.notes]
        await self._store_rows(rows, rejects, notes)

    async def _store_rows(self, rows: list[dict], rejects: Rejects, notes: list[Note]) -> None:
        """Store the rows; halve them on an error until the one at fault is found."""
        if await self._copier.store(rows, rejects, notes):
            return
        try:
            await self._link.run(STORE, store_parameters(rows, rejects, notes))
        except (psycopg.Error, ValueError, TypeError, RecursionError) as error:
            if not rows:
                raise
            if len(rows) == 1:
                log.warning("A message is quarantined: %s", error)
                await self._quarantine(rows[0], error, notes)
                await self._store_rows([], rejects, [note for note in notes if note["reason"]])
                return
            middle = len(rows) // 2
            ids = {row["message_id"] for row in rows[middle:]}
            later = [n for n in notes if not n["reason"] and n["message_id"] in ids]
            sooner = [n for n in notes if n["reason"] or n["message_id"] not in ids]
            await self._store_rows(rows[:middle], rejects, sooner)
            await self._store_rows(rows[middle:], {}, later)

    async def _quarantine(self, row: dict, error: Exception, notes: list[Note]) -> None:
        keys = [note["key_id"] for note in notes if note["message_id"] == row["message_id"]]
        key_id = keys[0] if keys else None
        await self._link.run(QUARANTINE, quarantine_parameters(row, str(error), key_id))
