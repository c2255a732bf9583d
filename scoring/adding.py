"""Add what leads did since their last fold to their sums: exact, and several times as fast.

A lead's sums hold what counts up to its `folded_at`, so an event that came for a later moment
is not among it, whatever else happened, and may be added, once, under the lock of the features.
All others are counted anew (folding.count): for whom an event came late, or anything else
changed than that events came; for whom a signal is newer than the sums; who did what counts by
a window or an inactivity; and everybody once in a new month, with its anchor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection

from scoring.choosing import as_array
from scoring.conditions import Parameters, as_sql
from scoring.formula import power_sql
from scoring.hits import (
    EVENT_INSTANT,
    bucket_by_signal,
    meets_by_signal,
    most_per_bucket,
    of_kind,
)
from scoring.models import Signal
from scoring.vocabulary import Frequency
from tracking.models import Verdict

WHOLE_HISTORY = 100 * 366  # days
MONTH = "date_trunc('month', %(as_of)s::timestamptz, 'UTC')"


def add_new_events(
    folded_at: Mapping[int, datetime], signals: Sequence[Signal], as_of: datetime
) -> set[int]:
    """Add the events up to `as_of` to the sums of those of these leads for whom it is exact.

    `folded_at`: by lead its last fold, for those of find_ready. In a transaction that has
    locked their features; returns the ids of the leads that are done.
    """
    on_events = [signal for signal in signals if not signal.is_fit]
    if not folded_at or not on_events:
        return set()
    places = range(1, max(signal.ordinal for signal in signals) + 1)
    fresh = ", ".join(
        f"coalesce(sum(w.weight) FILTER (WHERE w.ordinal = {place:d}), 0)" for place in places
    )
    added = ", ".join(f"f.sums[{place:d}] + excluded.sums[{place:d}]" for place in places)
    parameters = Parameters(
        lead_ids=as_array(folded_at), folded_at=as_array(folded_at.values()), as_of=as_of
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO scoring_leadfeature AS f (lead_id, sums, anchor_at, folded_at)
            SELECT w.lead_id, ARRAY[{fresh}]::float8[], {MONTH}, %(as_of)s
              FROM ({_weighed(on_events, parameters)} UNION ALL
                    SELECT unnest(%(lead_ids)s::bigint[]), 0, true, 0) w
             GROUP BY w.lead_id HAVING bool_and(w.is_exact)
            ON CONFLICT (lead_id) DO UPDATE SET sums = ARRAY[{added}]::float8[],
                folded_at = excluded.folded_at
            RETURNING f.lead_id
            """,
            parameters.values,
        )
        return {row[0] for row in cursor.fetchall()}


def find_ready(
    since: Mapping[int, datetime], signals: Sequence[Signal], as_of: datetime
) -> dict[int, datetime]:
    """Of these leads, whose features are locked, those to whom nothing happened but later events.

    `since`: by lead the instant from which on something is new. Returns the instants of their
    last folds; what they did may yet have to be counted anew.
    """
    longest = max((signal.ordinal for signal in signals), default=0)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT lead_id, folded_at FROM scoring_leadfeature
             WHERE lead_id = ANY(%(lead_ids)s::bigint[]) AND anchor_at = {MONTH}
               AND cardinality(sums) = %(longest)s AND array_position(sums, NULL) IS NULL
               AND (turns_at IS NULL OR turns_at > %(as_of)s)""",
            {"lead_ids": as_array(since), "as_of": as_of, "longest": longest},
        )
        return {lead_id: at for lead_id, at in cursor.fetchall() if since[lead_id] > at}


def _weighed(signals: Sequence[Signal], parameters: Parameters) -> str:
    """SQL for (lead_id, ordinal, is_exact, weight) of the events that are new and count.

    Older ones are read, and numbered with them, as far back as they share a limit with new ones.
    """
    listed = ", ".join(f"({_signal_row(signal, parameters)})" for signal in signals)
    group = f"""PARTITION BY e.lead_id, s.signal_id, {bucket_by_signal(signals, parameters)}
                ORDER BY {EVENT_INSTANT}, e.id"""
    age = f"date_part('epoch', {MONTH} - at) / 86400"
    counts = f"e.verdict < {Verdict.MACHINE:d} AND {EVENT_INSTANT} <= %(as_of)s::timestamptz"
    # OFFSET 0: each lead's events by the index, whatever the planner thinks of the leads.
    return f"""
        SELECT lead_id, ordinal, is_exact, CASE WHEN half_life IS NULL THEN 1
                    ELSE {power_sql(f"-{age} / half_life")} END AS weight
          FROM (SELECT s.*, e.lead_id, e.folded_at, {EVENT_INSTANT} AS at,
                       row_number() OVER ({group}) AS place
                  FROM (SELECT e.*, r.folded_at
                          FROM unnest(%(lead_ids)s::bigint[], %(folded_at)s::timestamptz[])
                               AS r (lead_id, folded_at)
                         CROSS JOIN LATERAL (
                            SELECT max({_reach_sql(signals, parameters)}) AS days
                              FROM tracking_event e
                             WHERE e.lead_id = r.lead_id AND e.occurred_at > r.folded_at) back
                         CROSS JOIN LATERAL (
                            SELECT * FROM tracking_event e
                             WHERE e.lead_id = r.lead_id AND {counts} AND e.occurred_at
                                   > r.folded_at - back.days * interval '24 hours' OFFSET 0) e
                        OFFSET 0) e
                  JOIN (VALUES {listed}) AS s (signal_id, kind, ordinal, is_exact, most, half_life)
                    ON {of_kind(signals, parameters)}
                 WHERE {meets_by_signal(signals, parameters)}) numbered
         WHERE at > folded_at AND (most IS NULL OR place <= most)"""


def _reach_sql(signals: Sequence[Signal], parameters: Parameters) -> str:
    """How many days before the last fold events may lie that share a limit with event `e`."""
    branches = "".join(
        f" WHEN e.kind = {parameters.bind(signal.event_kind)}"
        f" AND {as_sql(signal.conditions, signal.axis, parameters)} THEN {_reach(signal):d}"
        for signal in sorted(signals, key=_reach, reverse=True)
        if _reach(signal)
    )
    return f"CASE{branches} ELSE 0 END" if branches else "0"


def _reach(signal: Signal) -> int:
    if not may_be_added(signal) or signal.frequency == Frequency.EVERY:
        return 0
    # One day may have 25 hours.
    return signal.period_days + 1 if signal.frequency == Frequency.PER_PERIOD else WHOLE_HISTORY


def _signal_row(signal: Signal, parameters: Parameters) -> str:
    is_exact = may_be_added(signal)
    half_life = f"{signal.half_life_days:d}" if signal.half_life_days else "NULL"
    return ", ".join(
        [
            f"{signal.pk:d}",
            parameters.bind(signal.event_kind),
            f"{signal.ordinal:d}",
            str(is_exact).lower(),
            most_per_bucket(signal) if is_exact else "NULL::int",
            f"{half_life}::float8",
        ]
    )


def may_be_added(signal: Signal) -> bool:
    """Whether a newer event takes nothing away from what older ones count."""
    return not signal.window_days and not signal.inactive_days
