"""Fold what is known about leads into hits, features and standings. One SQL path for all sizes.

The relay folds the leads that were touched, a rebuild folds all of them: the
same statements, with other ids. All of it is derived and idempotent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import connection

from leads.standing import write_standings
from scoring import conditions
from scoring.conditions import Parameters
from scoring.formula import Weights, power_sql, scores_query
from scoring.models import ModelVersion, Signal
from scoring.rules import FIRST_MONDAY
from scoring.vocabulary import Axis, Frequency, find_field
from tracking.models import Verdict

SOME_LEADS = "f.lead_id = ANY(%(lead_ids)s)"
# An event cannot count before it was there: a clock that runs ahead gives nothing.
EVENT_INSTANT = "least(e.occurred_at, e.received_at)"
LEAD_TABLES = """FROM leads_lead l
          LEFT JOIN leads_account a ON a.id = l.account_id
          LEFT JOIN scoring_maildomain m ON m.domain = split_part(lower(l.email), '@', 2)"""


def fold(lead_ids: Sequence[int], signals: Sequence[Signal] | None = None) -> list[int]:
    """Fold these leads, in a transaction of the caller. Returns those that still exist.

    `signals` limits the search for hits (None: all); features and standings
    always follow from all hits. Without an active version nothing is scored.
    """
    ids = lock_features(lead_ids)
    if ids:
        every = list(Signal.objects.all())
        count_hits(ids, every if signals is None else signals)
        as_of = database_instant()
        write_features(ids, every, as_of)
        score(ids, as_of)
    return ids


def lock_features(lead_ids: Sequence[int]) -> list[int]:
    """Make sure that each lead has its feature row, and lock the rows in order of id."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO scoring_leadfeature (lead_id, sums, anchor_at)
            SELECT id, '{}', now() FROM leads_lead WHERE id = ANY(%(ids)s) ORDER BY id
            ON CONFLICT (lead_id) DO NOTHING
            """,
            {"ids": list(lead_ids)},
        )
        cursor.execute(
            "SELECT lead_id FROM scoring_leadfeature WHERE lead_id = ANY(%(ids)s)"
            " ORDER BY lead_id FOR NO KEY UPDATE",
            {"ids": list(lead_ids)},
        )
        return [row[0] for row in cursor.fetchall()]


def database_instant() -> datetime:
    """The database's clock, now: later than anything that is visible already."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def score(lead_ids: Sequence[int], as_of: datetime) -> int:
    """Write the standings of these leads by the active version."""
    version = ModelVersion.objects.active()
    if version is None:
        return 0
    query = scores_query(Weights.of(version), SOME_LEADS)
    return write_standings(query, {"as_of": as_of, "lead_ids": list(lead_ids)})


def count_hits(lead_ids: Sequence[int], signals: Sequence[Signal]) -> None:
    """Make the hits of these signals be exactly what the leads' events and fields say."""
    on_events = [signal for signal in signals if not signal.is_fit]
    on_fields = [signal for signal in signals if signal.is_fit]
    if on_events:
        _count_events(lead_ids, on_events)
    if on_fields:
        _match_fields(lead_ids, on_fields)


def _count_events(lead_ids: Sequence[int], signals: Sequence[Signal]) -> None:
    parameters = Parameters(lead_ids=list(lead_ids), signal_ids=[s.pk for s in signals])
    wanted = wanted_hits_query(signals, parameters)
    # A hit that moved to another lead is updated, never deleted and inserted: one
    # statement cannot do both to the same key.
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH wanted AS MATERIALIZED ({wanted}), gone AS (
                DELETE FROM scoring_signalhit h
                 WHERE h.lead_id = ANY(%(lead_ids)s) AND h.signal_id = ANY(%(signal_ids)s)
                   AND NOT EXISTS (SELECT 1 FROM wanted w WHERE w.event_id = h.event_id
                                      AND w.signal_id = h.signal_id)
            )
            INSERT INTO scoring_signalhit AS h (signal_id, event_id, lead_id, occurred_at)
            SELECT w.signal_id, w.event_id, w.lead_id, w.occurred_at FROM wanted w
             WHERE NOT EXISTS (SELECT 1 FROM scoring_signalhit o WHERE o.event_id = w.event_id
                                  AND o.signal_id = w.signal_id AND o.lead_id = w.lead_id
                                  AND o.occurred_at = w.occurred_at)
            ON CONFLICT (signal_id, event_id) DO UPDATE
               SET lead_id = excluded.lead_id, occurred_at = excluded.occurred_at
            """,
            parameters.values,
        )


def wanted_hits_query(signals: Sequence[Signal], parameters: Parameters) -> str:
    """SQL for the hits that the events of %(lead_ids)s give.

    Columns: signal_id, event_id, lead_id, occurred_at.
    The earliest events of each bucket count, in order of (occurred_at, id); rules.counted
    says the same in Python.
    """
    listed = ", ".join(
        f"({s.pk:d}, {parameters.bind(s.event_kind)}, {_most_per_bucket(s)})" for s in signals
    )
    meets = _by_signal(signals, _conditions_sql(signals, parameters), "true")
    buckets = _by_signal(signals, {s.pk: _bucket_sql(s, parameters) for s in signals}, "''")
    return f"""
        SELECT signal_id, event_id, lead_id, occurred_at FROM (
            SELECT s.signal_id, e.id AS event_id, e.lead_id, s.most,
                   {EVENT_INSTANT} AS occurred_at,
                   row_number() OVER (PARTITION BY e.lead_id, s.signal_id, {buckets}
                                      ORDER BY {EVENT_INSTANT}, e.id) AS place
              FROM tracking_event e
              JOIN (VALUES {listed}) AS s (signal_id, kind, most) ON s.kind = e.kind
             WHERE e.lead_id = ANY(%(lead_ids)s) AND e.verdict < {Verdict.MACHINE:d} AND {meets}
        ) numbered WHERE most IS NULL OR place <= most"""


def _conditions_sql(signals: Sequence[Signal], parameters: Parameters) -> dict[int, str]:
    return {
        signal.pk: conditions.as_sql(signal.conditions, signal.axis, parameters)
        for signal in signals
        if signal.conditions
    }


def _by_signal(signals: Sequence[Signal], expressions: dict[int, str], otherwise: str) -> str:
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
        return f"coalesce({field.sql}, '')" if field else None
    if signal.frequency == Frequency.PER_PERIOD:
        zone = parameters.bind(settings.REPORTING_TIME_ZONE)
        days = f"(({EVENT_INSTANT} AT TIME ZONE {zone})::date - DATE '{FIRST_MONDAY}')"
        return f"floor({days}::float8 / {signal.period_days:d})::text"
    return None


def _match_fields(lead_ids: Sequence[int], signals: Sequence[Signal]) -> None:
    parameters = Parameters(lead_ids=list(lead_ids), signal_ids=[s.pk for s in signals])
    met = met_fields_query(signals, parameters)
    # A signal that is looked at for the first time has held from the lead's
    # beginning, as far as anybody knows; later on, from the moment we see it.
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH met AS MATERIALIZED ({met}), ended AS (
                UPDATE scoring_fieldmatch m SET until = greatest(m.since, clock_timestamp())
                 WHERE m.lead_id = ANY(%(lead_ids)s) AND m.signal_id = ANY(%(signal_ids)s)
                   AND m.until IS NULL
                   AND NOT EXISTS (SELECT 1 FROM met WHERE met.lead_id = m.lead_id
                                      AND met.signal_id = m.signal_id)
            )
            INSERT INTO scoring_fieldmatch (lead_id, signal_id, since)
            SELECT met.lead_id, met.signal_id,
                   CASE WHEN coalesce(array_length(f.sums, 1), 0) >= met.ordinal
                        THEN clock_timestamp()
                        ELSE least(clock_timestamp(), l.created_at, first.entered_at) END
              FROM met JOIN leads_lead l ON l.id = met.lead_id
              JOIN scoring_leadfeature f ON f.lead_id = met.lead_id
              LEFT JOIN leads_stageepisode first ON first.lead_id = l.id AND first.seq = 1
             WHERE NOT EXISTS (SELECT 1 FROM scoring_fieldmatch o WHERE o.lead_id = met.lead_id
                                  AND o.signal_id = met.signal_id AND o.until IS NULL)
            """,
            parameters.values,
        )


def met_fields_query(signals: Sequence[Signal], parameters: Parameters) -> str:
    """SQL for the fit signals that hold for %(lead_ids)s: (lead_id, signal_id, ordinal)."""
    sql = _conditions_sql(signals, parameters)
    listed = ", ".join(f"({s.pk:d}, {s.ordinal:d}, {sql.get(s.pk, 'true')})" for s in signals)
    return f"""
        SELECT l.id AS lead_id, s.signal_id, s.ordinal
          {LEAD_TABLES}
         CROSS JOIN LATERAL (VALUES {listed}) AS s (signal_id, ordinal, holds)
         WHERE l.id = ANY(%(lead_ids)s) AND s.holds"""


def write_features(lead_ids: Sequence[int], signals: Sequence[Signal], as_of: datetime) -> None:
    """Sum the hits of these leads, decayed to `as_of`, into one vector per lead."""
    parameters = {"lead_ids": list(lead_ids), "as_of": as_of}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE scoring_leadfeature f SET sums = fresh.sums, anchor_at = %(as_of)s
              FROM ({features_query(signals)}) fresh WHERE fresh.lead_id = f.lead_id
            """,
            parameters,
        )


def features_query(signals: Sequence[Signal]) -> str:
    """SQL for (lead_id, sums) of %(lead_ids)s at %(as_of)s, from hits and matches."""
    longest = max((signal.ordinal for signal in signals), default=0)
    sums = ", ".join(
        f"coalesce(sum(w) FILTER (WHERE ordinal = {ordinal:d}), 0)"
        for ordinal in range(1, longest + 1)
    )
    age = "date_part('epoch', %(as_of)s::timestamptz - h.occurred_at) / 86400"
    return f"""
        SELECT ids.lead_id, ARRAY[{sums}]::float8[] AS sums
          FROM unnest(%(lead_ids)s::bigint[]) AS ids (lead_id)
          LEFT JOIN (
            SELECT h.lead_id, s.ordinal, CASE WHEN s.half_life_days IS NULL THEN 1
                        ELSE {power_sql(f"-{age} / s.half_life_days")} END AS w
              FROM scoring_signalhit h JOIN scoring_signal s ON s.id = h.signal_id
             WHERE h.lead_id = ANY(%(lead_ids)s)
             UNION ALL
            SELECT m.lead_id, s.ordinal, 1
              FROM scoring_fieldmatch m JOIN scoring_signal s ON s.id = m.signal_id
             WHERE m.lead_id = ANY(%(lead_ids)s) AND m.until IS NULL
          ) weighed ON weighed.lead_id = ids.lead_id
         GROUP BY ids.lead_id"""
