"""What another meaning or threshold of a signal would change among the newest stored events."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, transaction

from tracking.models import VerdictSignal
from tracking.verdicts import refinding
from tracking.verdicts.behaviour import Threshold
from tracking.verdicts.ruling import LOOKED_AT, Preview
from tracking.verdicts.settling import Settled, read_effects, settle_anew
from tracking.verdicts.weighing import MACHINE


@transaction.atomic
def preview(signal: VerdictSignal) -> Preview:
    """Count what this row, as it would be, changes. It is not saved."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '20s'")
        cursor.execute("SELECT coalesce(min(id), 1), coalesce(max(id), 0) FROM tracking_event")
        first, until = cursor.fetchone()
    above = max(first - 1, until - LOOKED_AT)
    return _summed(_changed(signal, above, until), is_all=above < first)


def _changed(signal: VerdictSignal, above: int, until: int) -> list[Settled]:
    """Only events that have the signal, or would get it, can become something else by it."""
    effects = read_effects() | {signal.name: signal.effect}
    found = _found(signal, above, until)
    with_it = {"above": above, "until": until, "signal": signal.name, "found": found}
    return [
        line
        for line in settle_anew(_CONCERNED, with_it, signal.name, found, effects)
        if line.verdict != line.verdict_before
    ]


def _found(signal: VerdictSignal, above: int, until: int) -> list[int]:
    """On which events the signal would be. One that says nothing is not looked for."""
    if signal.name in refinding.THRESHOLDED and signal.effect != VerdictSignal.Effect.OFF:
        limit = Threshold(signal.most or 0, signal.seconds or 0)
        return refinding.find(signal.name, limit, above, until)
    with connection.cursor() as cursor:
        cursor.execute(_HAVING, {"above": above, "until": until, "signal": signal.name})
        return [row[0] for row in cursor.fetchall()]


def _summed(lines: Iterable[Settled], *, is_all: bool) -> Preview:
    lines = list(lines)
    return Preview(
        event_count=len(lines),
        lead_count=len({line.lead_id for line in lines} - {None}),
        visitor_count=len({line.anonymous_id for line in lines} - {""}),
        begin_count=sum(line.crosses and line.verdict < MACHINE for line in lines),
        cease_count=sum(line.crosses and line.verdict >= MACHINE for line in lines),
        looked_at=LOOKED_AT,
        is_all=is_all,
    )


_CONCERNED = """e.id > %(above)s AND e.id <= %(until)s
    AND (%(signal)s = ANY(e.verdict_signals) OR e.id = ANY(%(found)s))"""
_HAVING = """
SELECT id FROM tracking_event
 WHERE id > %(above)s AND id <= %(until)s AND %(signal)s = ANY(verdict_signals)
"""
