"""The events of browsers in the order they happened, as visits need them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

from django.db import connection

from tracking.engagement import MOST_MS
from tracking.events import KINDS
from tracking.models import Verdict
from tracking.sessions import Hit

# A browser's anonymous id, and whether machines used it: their visits are told apart.
Stream = tuple[str, bool]

# What mail systems and colleagues tell is nothing that a browser did on its visit.
NO_VISIT = sorted(kind for kind, entry in KINDS.items() if entry.group in ("email", "offline"))

# Time spent on the page (tracking/engagement.py), or what the sender told with the view itself.
_ENGAGED = f"""coalesce(e.engaged_ms,
                 CASE WHEN jsonb_typeof(e.properties -> 'engaged_seconds') = 'number'
                      THEN least(greatest((e.properties ->> 'engaged_seconds')::numeric * 1000, 0),
                                 {MOST_MS}) ELSE 0 END)::bigint"""
_COLUMNS = f"""e.anonymous_id, e.verdict >= {int(Verdict.MACHINE)}, e.occurred_at, e.kind, e.path,
       e.url, e.referrer, e.context -> 'campaign', e.lead_id, {_ENGAGED}"""
# Ties are broken by what the sender said, never by when it arrived.
_ORDER = "e.anonymous_id, 2, e.occurred_at, e.source_id, e.message_id"

_OF_SOME = f"""
SELECT {_COLUMNS}
  FROM unnest(%s::text[], %s::timestamptz[]) AS wanted(who, since)
  JOIN tracking_event e ON e.anonymous_id = wanted.who AND e.anonymous_id <> ''
                       AND e.occurred_at >= wanted.since
 WHERE e.kind <> ALL(%s)
 ORDER BY {_ORDER}
"""  # noqa: S608 - constants
_OF_ALL = f"""
SELECT {_COLUMNS} FROM tracking_event e
 WHERE e.anonymous_id <> '' AND e.kind <> ALL(%s)
 ORDER BY {_ORDER}
"""  # noqa: S608 - constants


def read_hits(starts: dict[Stream, datetime]) -> dict[Stream, list[Hit]]:
    """The events of these streams, each from its start on."""
    earliest: dict[str, datetime] = {}
    for (who, _is_machine), start in starts.items():
        earliest[who] = min(start, earliest.get(who, start))
    found: dict[Stream, list[Hit]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_OF_SOME, [list(earliest), list(earliest.values()), NO_VISIT])
        for row in cursor:
            stream, hit = (row[0], row[1]), _hit(row)
            if hit.at >= starts[stream]:
                found[stream].append(hit)
    return found


def all_streams() -> Iterator[tuple[Stream, Iterator[Hit]]]:
    """Every stream with its events; to be read one after the other, inside a transaction."""
    with connection.chunked_cursor() as cursor:
        cursor.itersize = 5000  # type: ignore[attr-defined]  # a server-side cursor of psycopg
        cursor.execute(_OF_ALL, [NO_VISIT])
        for stream, rows in groupby(cursor, key=lambda row: (row[0], row[1])):
            yield stream, map(_hit, rows)


def _hit(row: tuple) -> Hit:
    campaign = row[7]
    if isinstance(campaign, str):  # a plain cursor hands out JSON as text
        campaign = json.loads(campaign)
    known = campaign if isinstance(campaign, dict) else None
    at, kind, path, url, referrer = row[2:7]
    return Hit(at, kind, path, url, referrer, known, row[8], row[9])
