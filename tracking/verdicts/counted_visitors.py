"""Visitors as the events that count say: a browser that only machines used is none.

Run after verdicts changed. A visitor who is a lead stays; whose browser is known is known.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime

from django.db import connection

from tracking.models import Verdict, Visitor
from tracking.visitors import Seen, first_touches


def restate(anonymous_ids: Iterable[str]) -> None:
    """Make, correct or remove the visitors with these ids."""
    wanted = sorted(anonymous_ids)
    if not wanted:
        return
    met = _read(wanted)
    gone = set(wanted) - {event.anonymous_id for event, _last in met}
    Visitor.objects.filter(anonymous_id__in=gone, lead=None, links=None).delete()
    with connection.cursor() as cursor:
        cursor.execute(_RESTATE, first_touches(met))


def _read(anonymous_ids: list[str]) -> list[tuple[Seen, datetime]]:
    """The first event that counts of each visitor that has one, and the instant of the last."""
    columns = ", ".join(f"e.{field.name}" for field in fields(Seen))
    with connection.cursor() as cursor:
        cursor.execute(
            _FIRST_AND_LAST.format(columns=columns),
            {"ids": anonymous_ids, "machine": int(Verdict.MACHINE)},
        )
        rows = cursor.fetchall()
    found = []
    for *event, last in rows:
        seen = Seen(*event)
        seen.properties = json.loads(str(seen.properties))
        seen.context = json.loads(str(seen.context))
        found.append((seen, last))
    return found


# Events that wait to be attached will bring their visitor themselves.
_COUNTS = """e.anonymous_id = who AND e.anonymous_id <> '' AND e.verdict < %(machine)s
    AND NOT EXISTS (SELECT FROM tracking_pendingevent p WHERE p.event_id = e.id)"""
_FIRST_AND_LAST = f"""
SELECT {{columns}}, (SELECT max(e.occurred_at) FROM tracking_event e WHERE {_COUNTS})
  FROM unnest(%(ids)s::text[]) AS who
 CROSS JOIN LATERAL (SELECT * FROM tracking_event e WHERE {_COUNTS}
                      ORDER BY e.occurred_at, e.id LIMIT 1) e
 ORDER BY who
"""  # noqa: S608 - constants
# The touch is classified anew only when another event is the first.
_RESTATE = """
INSERT INTO tracking_visitor AS mine (anonymous_id, first_seen_at, last_seen_at, channel, source,
                                      medium, campaign, landing_path)
SELECT * FROM unnest(%s::text[], %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[],
                     %s::text[], %s::text[], %s::text[])
ON CONFLICT (anonymous_id) DO UPDATE SET
  last_seen_at = excluded.last_seen_at,
  (first_seen_at, channel, source, medium, campaign, landing_path) = (
    SELECT excluded.first_seen_at, excluded.channel, excluded.source, excluded.medium,
           excluded.campaign, excluded.landing_path
     WHERE mine.first_seen_at <> excluded.first_seen_at
    UNION ALL
    SELECT mine.first_seen_at, mine.channel, mine.source, mine.medium, mine.campaign,
           mine.landing_path
     WHERE mine.first_seen_at = excluded.first_seen_at)
"""
