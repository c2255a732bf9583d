"""Reading stored events as far as their attaching needs them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields

from django.db import connection

from tracking.visitors import Seen

BATCH = 5_000


def read_waiting(event_ids: Sequence[int]) -> list[Seen]:
    """Those of these events that still wait, in the order they happened, their work rows locked."""
    return _seen(
        "tracking_pendingevent p JOIN tracking_event e ON e.id = p.event_id"
        " WHERE p.event_id = ANY(%s) ORDER BY p.event_id FOR UPDATE OF p SKIP LOCKED",
        event_ids,
    )


def read_events(event_ids: Sequence[int]) -> list[Seen]:
    """Stored events in the order they happened."""
    return _seen("tracking_event e WHERE e.id = ANY(%s)", event_ids)


def batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """As many ids at a time as are read into memory at once."""
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def _seen(which: str, event_ids: Sequence[int]) -> list[Seen]:
    columns = ", ".join(f"e.{field.name}" for field in fields(Seen))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {which}", [list(event_ids)])  # noqa: S608
        rows = [Seen(*row) for row in cursor.fetchall()]
    for event in rows:  # a plain cursor hands out JSON as text
        event.properties = json.loads(str(event.properties))
        event.context = json.loads(str(event.context))
    return sorted(rows, key=lambda event: (event.occurred_at, event.id))
