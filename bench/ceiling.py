"""What PostgreSQL alone could store: COPY of ready-made rows into the same table, with all
its indexes, in transactions of the size that the collector commits. No HTTP, no JSON, no
question whether a row is there already."""

from __future__ import annotations

import time
import uuid
from typing import Any

import psycopg

from bench.servers import pin

SAMPLE = 4_000  # rows of one COPY, as the collector's larger groups
COLUMNS = (
    "source_id", "message_id", "kind", "name", "occurred_at", "sent_at", "anonymous_id",
    "user_id", "url", "path", "referrer", "title", "user_agent", "properties", "context",
    "is_trusted", "verdict", "verdict_signals",
)  # fmt: skip
_LIST = ", ".join(COLUMNS)


class Ceiling:
    """Rows as the collector stored them, to be copied again under other message ids."""

    def __init__(self, database: str, core: int | None) -> None:
        self.connection = psycopg.connect(database, autocommit=True)
        pin(self.connection.info.backend_pid, core)
        newest = f"SELECT {_LIST} FROM tracking_event ORDER BY id DESC LIMIT {SAMPLE}"
        with self.connection.cursor().copy(f"COPY ({newest}) TO STDOUT") as copy:
            text = b"".join(copy).decode()
        self.rows = [line.split("\t") for line in text.splitlines()]

    def run(self, seconds: float) -> dict[str, Any]:
        """Copy for so long; returns what bench.load prints. Making the rows is not counted."""
        took, events = 0.0, 0
        while took < seconds:
            data = self._fresh()
            began = time.perf_counter()
            with self.connection.cursor().copy(f"COPY tracking_event ({_LIST}) FROM STDIN") as copy:
                copy.write(data)
            took += time.perf_counter() - began
            events += len(self.rows)
        milliseconds = 1000 * took * len(self.rows) / events
        return {
            "events": events, "failed": 0, "per_second": events / took,
            "p50_ms": milliseconds, "p99_ms": milliseconds,
        }  # fmt: skip

    def _fresh(self) -> bytes:
        run = uuid.uuid4().hex[:20]
        for number, row in enumerate(self.rows):
            row[1] = f"{run}{number:012x}"
        return ("\n".join("\t".join(row) for row in self.rows) + "\n").encode()
