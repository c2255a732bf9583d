"""Which events count for which signals: hits, always read from the events, never stored.

So they can neither go stale nor count twice. A hit counts from `since` until `until` (None:
for ever): of a signal with a window until it leaves it, or until a newer one of which only
one counts takes its place; of an inactivity from when it had lasted long enough until the next
event. The hits of a past instant are those of today's that held then. rules.py says the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from scoring import conditions
from scoring.choosing import Which, these
from scoring.conditions import Parameters
from scoring.models import Signal
from scoring.rules import FIRST_MONDAY
from scoring.vocabulary import Axis, Frequency, find_field
from tracking.events import NOT_ACTIVITY
from tracking.models import Verdict

# An event cannot count before it was there: a clock that runs ahead gives nothing.
EVENT_INSTANT = "least(e.occurred_at, e.received_at)"
ALL = "NULL::int"  # no limit to how many of a bucket count


class Hit(NamedTuple):
    """One event that counts for one interest signal of a lead, from when until when."""

    lead_id: int
    signal_id: int
    event_id: int
    since: datetime
    until: datetime | None


def read_hits(lead_ids: Sequence[int], as_of: datetime) -> list[Hit]:
    """All hits of these leads that began up to `as_of`, in order of time."""
    signals = [signal for signal in Signal.objects.all() if not signal.is_fit]
    if not signals:
        return []
    which = these(lead_ids)
    parameters = Parameters(**which.values, as_of=as_of)
    hits = hits_query(which, signals, parameters)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT lead_id, signal_id, event_id, occurred_at, until
                  FROM ({hits}) hits ORDER BY occurred_at, event_id""",
            parameters.values,
        )
        return [Hit(*row) for row in cursor.fetchall()]


def hits_query(which: Which, signals: Sequence[Signal], parameters: Parameters) -> str:
    """SQL for the hits of these leads that began up to %(as_of)s.

    Columns: lead_id, signal_id, event_id, occurred_at (from when it counts), until. Of each
    bucket the earliest events count, in order of (occurred_at, id): what counted once counts
    for ever; within a window, where one of them counts, the newest.
    """
    named = [signal for signal in signals if signal.event_kind]
    any_kind = [signal for signal in signals if not signal.event_kind]
    parts = []
    if named:
        parts.append(_hits_of(which, named, parameters, "s.kind = e.kind"))
    if any_kind:
        not_own = parameters.bind(sorted(NOT_ACTIVITY))
        parts.append(_hits_of(which, any_kind, parameters, f"e.kind <> ALL({not_own})"))
    return " UNION ALL ".join(parts)


def of_kind(signals: Sequence[Signal], parameters: Parameters) -> str:
    """SQL that joins events `e` with the rows `s` of these signals, for one kind or for any."""
    if all(signal.event_kind for signal in signals):
        return "s.kind = e.kind"
    not_own = parameters.bind(sorted(NOT_ACTIVITY))
    return f"(s.kind = e.kind OR s.kind = '' AND e.kind <> ALL({not_own}))"


def _hits_of(which: Which, signals: Sequence[Signal], parameters: Parameters, on: str) -> str:
    listed = ", ".join(f"({_signal_row(signal, parameters)})" for signal in signals)
    meets = meets_by_signal(signals, parameters)
    buckets = bucket_by_signal(signals, parameters)
    is_timed = any(s.window_days or s.inactive_days for s in signals)
    group = f"PARTITION BY e.lead_id, s.signal_id, {buckets} ORDER BY {EVENT_INSTANT}, e.id"
    is_limited = any(most_per_bucket(signal) != ALL for signal in signals)
    place = f"row_number() OVER ({group})" if is_limited else "1"  # a sort of all that counts
    following = f"lead({EVENT_INSTANT}) OVER ({group})" if is_timed else "NULL::timestamptz"
    hits = f"""
        SELECT lead_id, signal_id, event_id, {_SINCE if is_timed else "at"} AS occurred_at,
               {_UNTIL if is_timed else "NULL::timestamptz"} AS until
          FROM (
            SELECT s.*, e.id AS event_id, e.lead_id, {EVENT_INSTANT} AS at,
                   {place} AS place, {following} AS following
              FROM tracking_event e
              JOIN (VALUES {listed}) AS s
                   (signal_id, kind, most, window_days, idle_days, gives_way) ON {on}
             WHERE e.lead_id {which.sql} AND e.verdict < {Verdict.MACHINE:d}
               AND {EVENT_INSTANT} <= %(as_of)s::timestamptz AND {meets}
          ) numbered WHERE (most IS NULL OR place <= most)"""
    if not is_timed:
        return hits
    return f"""SELECT * FROM ({hits}) timed
                WHERE occurred_at <= %(as_of)s::timestamptz
                  AND (until IS NULL OR occurred_at < until)"""


# A day is 24 hours here, as for half-lives.
_SINCE = "at + coalesce(idle_days, 0) * interval '24 hours'"
_UNTIL = """CASE WHEN idle_days IS NOT NULL THEN following
                WHEN window_days IS NOT NULL
                THEN least(at + window_days * interval '24 hours',
                           CASE WHEN gives_way THEN following END) END"""


def _signal_row(signal: Signal, parameters: Parameters) -> str:
    days = (signal.window_days, signal.inactive_days)
    gives_way = str(bool(signal.window_days) and _counts_one(signal)).lower()
    return ", ".join(
        [
            f"{signal.pk:d}",
            parameters.bind(signal.event_kind),
            most_per_bucket(signal),
            *(f"{n:d}::int" if n else "NULL::int" for n in days),
            gives_way,
        ]
    )


def _counts_one(signal: Signal) -> bool:
    return signal.frequency in (Frequency.ONCE, Frequency.PER_DISTINCT)


def meets_by_signal(signals: Sequence[Signal], parameters: Parameters) -> str:
    """Whether event `e` meets the conditions of signal `s`."""
    asked = {
        signal.pk: conditions.as_sql(signal.conditions, signal.axis, parameters)
        for signal in signals
        if signal.conditions
    }
    return _by_signal(signals, asked, "true")


def bucket_by_signal(signals: Sequence[Signal], parameters: Parameters) -> str:
    """What event `e` has in common with those that share the frequency limit of signal `s`."""
    return _by_signal(signals, {s.pk: _bucket_sql(s, parameters) for s in signals}, "''")


def _by_signal(
    signals: Sequence[Signal], expressions: Mapping[int, str | None], otherwise: str
) -> str:
    """One expression that is each signal's own."""
    branches = " ".join(
        f"WHEN {s.pk:d} THEN {expressions[s.pk]}" for s in signals if expressions.get(s.pk)
    )
    return f"CASE s.signal_id {branches} ELSE {otherwise} END" if branches else otherwise


def most_per_bucket(signal: Signal) -> str:
    """How many events of a bucket count at most; NULL: all."""
    if signal.inactive_days or signal.frequency == Frequency.EVERY:
        return ALL
    if signal.window_days and _counts_one(signal):
        return ALL
    return f"{signal.max_count if signal.frequency == Frequency.PER_PERIOD else 1:d}"


def _bucket_sql(signal: Signal, parameters: Parameters) -> str | None:
    """Text that events have in common when they share the signal's frequency limit."""
    if signal.inactive_days:
        return None
    if signal.frequency == Frequency.PER_DISTINCT:
        field = find_field(signal.distinct_field, Axis.INTEREST)
        return f"coalesce({field.sql}, '') COLLATE \"C\"" if field else None
    if signal.frequency == Frequency.PER_PERIOD:
        zone = parameters.bind(settings.REPORTING_TIME_ZONE)
        days = f"(({EVENT_INSTANT} AT TIME ZONE {zone})::date - DATE '{FIRST_MONDAY}')"
        return f"floor({days}::float8 / {signal.period_days:d})::text"
    return None


def silences_to_come_query(
    which: Which, signals: Sequence[Signal], parameters: Parameters, *, by_fold: bool = False
) -> str:
    """SQL for (lead_id, at): when an inactivity will begin if nothing happens until then.

    Those that begin after %(as_of)s; `by_fold`: after the lead's own last fold.
    """
    own = "(SELECT f.folded_at FROM scoring_leadfeature f WHERE f.lead_id = e.lead_id)"
    instant = own if by_fold else "%(as_of)s::timestamptz"
    parts = []
    for signal in signals:
        begins = f"max({EVENT_INSTANT}) + {signal.inactive_days:d} * interval '24 hours'"
        meets = conditions.as_sql(signal.conditions, signal.axis, parameters)
        kind = (
            f"e.kind = {parameters.bind(signal.event_kind)}"
            if signal.event_kind
            else f"e.kind <> ALL({parameters.bind(sorted(NOT_ACTIVITY))})"
        )
        parts.append(f"""
            SELECT e.lead_id, {begins} AS at FROM tracking_event e
             WHERE e.lead_id {which.sql} AND e.verdict < {Verdict.MACHINE:d}
               AND {EVENT_INSTANT} <= %(as_of)s::timestamptz AND {kind} AND {meets}
             GROUP BY e.lead_id HAVING {begins} > {instant}""")
    return " UNION ALL ".join(parts)
