"""Requests that were refused before a message was received, counted per day.

Counted in memory and written down every few seconds, never while somebody waits for an
answer: who floods us with made-up keys must not make us write. A process that is killed
forgets the counts of its last seconds; no message hangs on them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter

from django.conf import settings

from tracking.collector.database import DatabaseAway, Link

EVERY_SECONDS = 3.0

_ADD = """
INSERT INTO tracking_turnedaway AS mine (source_id, day, reason, count)
SELECT source_id, (now() AT TIME ZONE %(zone)s)::date, reason, n
  FROM json_to_recordset(%(counts)s::json) AS c(source_id integer, reason text, n bigint)
 ORDER BY source_id, reason
ON CONFLICT (source_id, day, reason) DO UPDATE SET count = mine.count + excluded.count
"""


class Turnaways:
    """Counts by source (None: nobody's) and reason (models.TurnedAway.Reason)."""

    def __init__(self) -> None:
        self.totals: Counter[str] = Counter()  # of this process, for /metrics
        self._unwritten: Counter[tuple[int | None, str]] = Counter()
        self._link = Link()
        self._task: asyncio.Task | None = None

    def note(self, reason: str, source_id: int | None = None) -> None:
        self.totals[reason] += 1
        self._unwritten[source_id, reason] += 1

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Write down what is counted, then end."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.write()
        await self._link.close()

    async def write(self) -> None:
        """What cannot be written now is written with the next."""
        counts, self._unwritten = self._unwritten, Counter()
        if not counts:
            return
        listed = [{"source_id": s, "reason": why, "n": n} for (s, why), n in counts.items()]
        try:
            await self._link.run(
                _ADD, {"counts": json.dumps(listed), "zone": settings.REPORTING_TIME_ZONE}
            )
        except DatabaseAway:
            self._unwritten.update(counts)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.write()
