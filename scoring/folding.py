"""Fold what is known about leads into features and standings. One SQL path for all sizes.

The relay folds the leads that were touched, a rebuild folds all of them: the
same statements, with other ids. All of it is derived and idempotent. A hit is
an event that counts for a signal; hits are always read from the events anew
(hits_query), never stored, so they can neither go stale nor count twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from leads.standing import write_standings
from scoring import conditions
from scoring.choosing import Which, these
from scoring.conditions import Parameters
from scoring.formula import Weights, power_sql, scores_query
from scoring.matching import match_fields
from scoring.models import ModelVersion, Signal
from scoring.rules import FIRST_MONDAY
from scoring.vocabulary import Axis, Frequency, find_field
from tracking.models import Verdict

# An event cannot count before it was there: a clock that runs ahead gives nothing.
EVENT_INSTANT = "least(e.occurred_at, e.received_at)"


def fold(which: Which) -> list[int]:
    """Fold these leads, in a transaction of the caller. Returns the ids of those that exist.

    Without an active version nothing is scored.
    """
    ids = count(which)
    if ids:
        score(which, database_instant())
    return ids


def count(which: Which, signals: Sequence[Signal] | None = None) -> list[int]:
    """Count the hits and matches of these leads anew, for some signals (None: all).

    In a transaction of the caller. Returns the ids of the leads that exist; their
    standings stay as they are.
    """
    ids = lock_features(which)
    if ids:
        chosen = list(Signal.objects.all()) if signals is None else signals
        match_fields(which, [signal for signal in chosen if signal.is_fit])
        as_of = database_instant()
        if signals is None:
            write_features(which, chosen, as_of)
        else:
            amend_features(which, chosen, as_of)
    return ids


def lock_features(which: Which) -> list[int]:
    """Make sure that each lead has its feature row, and lock the rows in order of id."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO scoring_leadfeature (lead_id, sums, anchor_at, folded_at)
            SELECT id, '{{}}', now(), now() FROM leads_lead WHERE id {which.sql} ORDER BY id
            ON CONFLICT (lead_id) DO NOTHING
            """,
            which.values,
        )
        cursor.execute(
            f"SELECT lead_id FROM scoring_leadfeature WHERE lead_id {which.sql}"
            " ORDER BY lead_id FOR NO KEY UPDATE",
            which.values,
        )
        return [row[0] for row in cursor.fetchall()]


def database_instant() -> datetime:
    """The database's clock, now: later than anything that is visible already."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def score(which: Which, as_of: datetime) -> int:
    """Write the standings of these leads by the active version."""
    version = ModelVersion.objects.active()
    if version is None:
        return 0
    query = scores_query(Weights.of(version), f"f.lead_id {which.sql}")
    return write_standings(query, which.values | {"as_of": as_of})


class Hit(NamedTuple):
    """One event that counts for one interest signal of a lead."""

    lead_id: int
    signal_id: int
    event_id: int
    occurred_at: datetime


def read_hits(lead_ids: Sequence[int], as_of: datetime) -> list[Hit]:
    """All hits of these leads up to `as_of`, in order of time."""
    signals = [signal for signal in Signal.objects.all() if not signal.is_fit]
    if not signals:
        return []
    which = these(lead_ids)
    parameters = Parameters(**which.values, as_of=as_of)
    hits = hits_query(which, signals, parameters)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT lead_id, signal_id, event_id, occurred_at
                  FROM ({hits}) hits ORDER BY occurred_at, event_id""",
            parameters.values,
        )
        return [Hit(*row) for row in cursor.fetchall()]


def hits_query(which: Which, signals: Sequence[Signal], parameters: Parameters) -> str:
    """SQL for the hits of these leads up to %(as_of)s.

    Columns: lead_id, signal_id, event_id, occurred_at. Of each bucket the earliest
    events count, in order of (occurred_at, id): what counted once counts for ever, and
    the hits of a past instant are the first ones of today's. rules.counted says the
    same in Python.
    """
    listed = ", ".join(
        f"({s.pk:d}, {parameters.bind(s.event_kind)}, {_most_per_bucket(s)})" for s in signals
    )
    meets = _by_signal(signals, _conditions_sql(signals, parameters), "true")
    buckets = _by_signal(signals, {s.pk: _bucket_sql(s, parameters) for s in signals}, "''")
    return f"""
        SELECT lead_id, signal_id, event_id, occurred_at FROM (
            SELECT s.signal_id, e.id AS event_id, e.lead_id, s.most,
                   {EVENT_INSTANT} AS occurred_at,
                   row_number() OVER (PARTITION BY e.lead_id, s.signal_id, {buckets}
                                      ORDER BY {EVENT_INSTANT}, e.id) AS place
              FROM tracking_event e
              JOIN (VALUES {listed}) AS s (signal_id, kind, most) ON s.kind = e.kind
             WHERE e.lead_id {which.sql} AND e.verdict < {Verdict.MACHINE:d}
               AND {EVENT_INSTANT} <= %(as_of)s::timestamptz AND {meets}
        ) numbered WHERE most IS NULL OR place <= most"""


def _conditions_sql(signals: Sequence[Signal], parameters: Parameters) -> dict[int, str]:
    return {
        signal.pk: conditions.as_sql(signal.conditions, signal.axis, parameters)
        for signal in signals
        if signal.conditions
    }


def _by_signal(
    signals: Sequence[Signal], expressions: Mapping[int, str | None], otherwise: str
) -> str:
    """One expression that is each signal's own."""
    branches = " ".join(
        f"WHEN {s.pk:d} THEN {expressions[s.pk]}" for s in signals if expressions.get(s.pk)
    )
    return f"CASE s.signal_id {branches} ELSE {otherwise} END" if branches else otherwise


def _most_per_bucket(signal: Signal) -> str:
    if signal.frequency == Frequency.EVERY:
        return "NULL::int"
    return f"{signal.max_count if signal.frequency == Frequency.PER_PERIOD else 1:d}"


def _bucket_sql(signal: Signal, parameters: Parameters) -> str | None:
    """Text that events have in common when they share the signal's frequency limit."""
    if signal.frequency == Frequency.PER_DISTINCT:
        field = find_field(signal.distinct_field, Axis.INTEREST)
        return f"coalesce({field.sql}, '') COLLATE \"C\"" if field else None
    if signal.frequency == Frequency.PER_PERIOD:
        zone = parameters.bind(settings.REPORTING_TIME_ZONE)
        days = f"(({EVENT_INSTANT} AT TIME ZONE {zone})::date - DATE '{FIRST_MONDAY}')"
        return f"floor({days}::float8 / {signal.period_days:d})::text"
    return None


def write_features(which: Which, signals: Sequence[Signal], as_of: datetime) -> None:
    """Give these leads vectors of all signals, as of now, anchored at the month's beginning.

    Every locked row is met with an upsert instead of a join: no statistics, however
    stale, can have the planner go through all sums once for each lead.
    """
    longest = max((signal.ordinal for signal in signals), default=0)
    sums = ", ".join(_sum_of(ordinal) for ordinal in range(1, longest + 1))
    anchor = "date_trunc('month', %(as_of)s::timestamptz, 'UTC')"
    parameters = Parameters(**which.values, as_of=as_of)
    weighed = weighed_query(which, signals, parameters, anchor)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO scoring_leadfeature (lead_id, sums, anchor_at, folded_at)
            SELECT w.lead_id, ARRAY[{sums}]::float8[], {anchor}, %(as_of)s
              FROM ({weighed} UNION ALL
                    SELECT lead_id, 0, 0 FROM scoring_leadfeature WHERE lead_id {which.sql}) w
             GROUP BY w.lead_id
            ON CONFLICT (lead_id) DO UPDATE SET sums = excluded.sums,
                anchor_at = excluded.anchor_at, folded_at = excluded.folded_at
            """,
            parameters.values,
        )


def amend_features(which: Which, signals: Sequence[Signal], as_of: datetime) -> None:
    """Count only these signals anew; each vector keeps its anchor, its instant and all else."""
    sums = ", ".join(_sum_of(signal.ordinal) for signal in signals)
    taken = ", ".join(
        f"sums[{signal.ordinal:d}] = excluded.sums[{place:d}]"
        for place, signal in enumerate(signals, start=1)
    )
    parameters = Parameters(**which.values, as_of=as_of)
    weighed = weighed_query(which, signals, parameters)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO scoring_leadfeature AS f (lead_id, sums, anchor_at, folded_at)
            SELECT w.lead_id, ARRAY[{sums}]::float8[], %(as_of)s, %(as_of)s
              FROM ({weighed} UNION ALL
                    SELECT lead_id, 0, 0 FROM scoring_leadfeature WHERE lead_id {which.sql}) w
             GROUP BY w.lead_id
            ON CONFLICT (lead_id) DO UPDATE SET {taken}
            """,
            parameters.values,
        )


def _sum_of(ordinal: int) -> str:
    """One element of the vector."""
    return f"coalesce(sum(w.weight) FILTER (WHERE w.ordinal = {ordinal:d}), 0)"


def weighed_query(
    which: Which, signals: Sequence[Signal], parameters: Parameters, anchor: str = ""
) -> str:
    """SQL for (lead_id, ordinal, weight): hits up to %(as_of)s decayed to `anchor`, open matches.

    Without `anchor` each lead's own holds, and its hits up to its last fold.
    """
    on_events = [signal for signal in signals if not signal.is_fit]
    on_fields = [signal.pk for signal in signals if signal.is_fit]
    parts = ["SELECT NULL::bigint AS lead_id, 0 AS ordinal, 0::float8 AS weight WHERE false"]
    if on_events:
        parts.append(_weighed_events(which, on_events, parameters, anchor))
    if on_fields:
        parts.append(f"""
            SELECT m.lead_id, s.ordinal, 1
              FROM scoring_fieldmatch m JOIN scoring_signal s ON s.id = m.signal_id
             WHERE m.lead_id {which.sql} AND m.until IS NULL
               AND m.signal_id = ANY({parameters.bind(on_fields)})""")
    return " UNION ALL ".join(parts)


def _weighed_events(
    which: Which, signals: Sequence[Signal], parameters: Parameters, anchor: str
) -> str:
    weights = ", ".join(
        f"({s.pk:d}, {s.ordinal:d}, {s.half_life_days or 'NULL'}::float8)" for s in signals
    )
    own = "JOIN scoring_leadfeature f ON f.lead_id = h.lead_id AND h.occurred_at <= f.folded_at"
    age = f"date_part('epoch', {anchor or 'f.anchor_at'} - h.occurred_at) / 86400"
    return f"""
            SELECT h.lead_id, v.ordinal, CASE WHEN v.half_life IS NULL THEN 1
                        ELSE {power_sql(f"-{age} / v.half_life")} END
              FROM ({hits_query(which, signals, parameters)}) h
              JOIN (VALUES {weights}) AS v (signal_id, ordinal, half_life)
                ON v.signal_id = h.signal_id {"" if anchor else own}"""
