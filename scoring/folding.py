"""Fold what is known about leads into features and standings. One SQL path for all sizes.

The relay folds the leads that were touched, a rebuild folds all of them: the
same statements, with other ids; only what came later than a lead's last fold is
added to its sums (adding.py). All of it is derived and idempotent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection

from leads.standing import write_standings
from scoring import governing
from scoring.adding import add_new_events, find_ready
from scoring.choosing import Which, these
from scoring.conditions import Parameters
from scoring.formula import power_sql
from scoring.hits import hits_query, silences_to_come_query
from scoring.matching import match_fields
from scoring.models import Signal


def fold(touched: Mapping[int, datetime | None]) -> list[int]:
    """Fold these leads, in a transaction of the caller. Returns the ids of the promising ones.

    `touched`: by lead the instant from which on events are new, and nothing else is: the past
    need not be read then (adding.py). None: anything may be. Without an active version
    nothing is scored.
    """
    which = these(sorted(touched))
    ids = _lock_existing(which)
    if len(ids) < len(touched):  # some are new
        ids = lock_features(which)
    if not ids:
        return []
    signals, as_of = list(Signal.objects.all()), database_instant()
    since = {lead_id: at for lead_id, at in touched.items() if at is not None}
    done = add_new_events(find_ready(since, signals, as_of), signals, as_of)
    if others := [lead_id for lead_id in ids if lead_id not in done]:
        count(these(others))
    return score(which, settled_instant(which))


def count(
    which: Which, signals: Sequence[Signal] | None = None, as_of: datetime | None = None
) -> list[int]:
    """Count the hits and matches of these leads anew, for some signals (None: all).

    In a transaction of the caller. Returns the ids of the leads that exist; their
    standings stay as they are. `as_of`: as of when (None: now).
    """
    ids = lock_features(which)
    if ids:
        chosen = list(Signal.objects.all()) if signals is None else signals
        match_fields(which, [signal for signal in chosen if signal.is_fit])
        governing.assign_models(which)
        as_of = as_of or database_instant()
        if signals is None:
            write_features(which, chosen, as_of)
        else:
            amend_features(which, chosen, as_of)
    return ids


def settled_instant(which: Which, as_of: datetime | None = None) -> datetime:
    """`as_of` (None: now), with all that time alone changed until then counted.

    Leads whose turning point has come (LeadFeature.turns_at) are counted anew first. In a
    transaction of the caller that has locked their features.
    """
    while True:
        instant = as_of or database_instant()
        due = turned_leads(which, instant)
        if not due:
            return instant
        count(these(due), as_of=as_of)


def turned_leads(which: Which, instant: datetime, limit: int | None = None) -> list[int]:
    """Of these leads those for whom an event left its window, or an inactivity began."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT lead_id FROM scoring_leadfeature
                 WHERE turns_at <= %(instant)s AND lead_id {which.sql}
                 ORDER BY lead_id LIMIT %(limit)s""",
            which.values | {"instant": instant, "limit": limit},
        )
        return [row[0] for row in cursor.fetchall()]


def lock_features(which: Which) -> list[int]:
    """Make sure that each lead has its feature row, and lock the rows in order of id."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO scoring_leadfeature (lead_id, sums, anchor_at, folded_at)
            SELECT l.id, '{{}}', now(), now() FROM leads_lead l
             WHERE l.id {which.sql} AND NOT EXISTS (
                   SELECT FROM scoring_leadfeature f
                    WHERE f.lead_id = l.id AND f.lead_id {which.sql})
             ORDER BY l.id
            ON CONFLICT (lead_id) DO NOTHING
            """,
            which.values,
        )
    return _lock_existing(which)


def _lock_existing(which: Which) -> list[int]:
    with connection.cursor() as cursor:
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


def score(which: Which, as_of: datetime) -> list[int]:
    """Write the standings of these leads, each by the version that scores it.

    Returns the ids of those that are promising.
    """
    query = governing.current_scores_query(f"f.lead_id {which.sql}")
    return write_standings(query, which.values | {"as_of": as_of}).promising if query else []


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
            INSERT INTO scoring_leadfeature (lead_id, sums, anchor_at, folded_at, turns_at)
            SELECT w.lead_id, ARRAY[{sums}]::float8[], {anchor}, %(as_of)s, min(w.turns_at)
              FROM ({weighed} UNION ALL
                    SELECT lead_id, 0, 0, NULL FROM scoring_leadfeature
                     WHERE lead_id {which.sql}) w
             GROUP BY w.lead_id
            ON CONFLICT (lead_id) DO UPDATE SET sums = excluded.sums,
                anchor_at = excluded.anchor_at, folded_at = excluded.folded_at,
                turns_at = excluded.turns_at
            """,
            parameters.values,
        )


def amend_features(which: Which, signals: Sequence[Signal], as_of: datetime) -> None:
    """Count only these signals anew; each vector keeps its anchor, its instant and all else.

    Where nothing counts and nothing did the row is spared, for that is most of the work. Of a
    fit signal 0 is written all the same: it says that the lead was looked at (matching.py).
    """
    had = " OR ".join(
        f"sums[{s.ordinal:d}] IS DISTINCT FROM 0" if s.is_fit else f"sums[{s.ordinal:d}] <> 0"
        for s in signals
    )
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
            INSERT INTO scoring_leadfeature AS f (lead_id, sums, anchor_at, folded_at, turns_at)
            SELECT w.lead_id, ARRAY[{sums}]::float8[], %(as_of)s, %(as_of)s, min(w.turns_at)
              FROM ({weighed} UNION ALL
                    SELECT lead_id, 0, 0, NULL FROM scoring_leadfeature
                     WHERE lead_id {which.sql} AND ({had})) w
             GROUP BY w.lead_id
            ON CONFLICT (lead_id) DO UPDATE SET {taken},
                turns_at = least(f.turns_at, excluded.turns_at)
            """,
            parameters.values,
        )


def _sum_of(ordinal: int) -> str:
    """One element of the vector."""
    return f"coalesce(sum(w.weight) FILTER (WHERE w.ordinal = {ordinal:d}), 0)"


def weighed_query(
    which: Which, signals: Sequence[Signal], parameters: Parameters, anchor: str = ""
) -> str:
    """SQL for (lead_id, ordinal, weight, turns_at): hits decayed to `anchor`, open matches.

    Hits that count at %(as_of)s; without `anchor` each lead's own holds, and its hits at its
    last fold. `turns_at`: when time alone will change the sum, or NULL.
    """
    on_events = [signal for signal in signals if not signal.is_fit]
    on_fields = [signal.pk for signal in signals if signal.is_fit]
    nothing = "NULL::bigint AS lead_id, 0 AS ordinal, 0::float8 AS weight"
    parts = [f"SELECT {nothing}, NULL::timestamptz AS turns_at WHERE false"]
    if on_events:
        parts.append(_weighed_events(which, on_events, parameters, anchor))
    if on_fields:
        parts.append(f"""
            SELECT m.lead_id, s.ordinal, 1, NULL
              FROM scoring_fieldmatch m JOIN scoring_signal s ON s.id = m.signal_id
             WHERE m.lead_id {which.sql} AND m.until IS NULL
               AND m.signal_id = ANY({parameters.bind(on_fields)})""")
    if idle := [signal for signal in on_events if signal.inactive_days]:
        to_come = silences_to_come_query(which, idle, parameters, by_fold=not anchor)
        parts.append(f"SELECT lead_id, {idle[0].ordinal:d}, 0, at FROM ({to_come}) silences")
    return " UNION ALL ".join(parts)


def _weighed_events(
    which: Which, signals: Sequence[Signal], parameters: Parameters, anchor: str
) -> str:
    weights = ", ".join(
        f"({s.pk:d}, {s.ordinal:d}, {s.half_life_days or 'NULL'}::float8)" for s in signals
    )
    own = "JOIN scoring_leadfeature f ON f.lead_id = h.lead_id AND h.occurred_at <= f.folded_at"
    instant = "%(as_of)s::timestamptz" if anchor else "f.folded_at"
    age = f"date_part('epoch', {anchor or 'f.anchor_at'} - h.occurred_at) / 86400"
    return f"""
            SELECT h.lead_id, v.ordinal, CASE WHEN v.half_life IS NULL THEN 1
                        ELSE {power_sql(f"-{age} / v.half_life")} END, h.until
              FROM ({hits_query(which, signals, parameters)}) h
              JOIN (VALUES {weights}) AS v (signal_id, ordinal, half_life)
                ON v.signal_id = h.signal_id {"" if anchor else own}
             WHERE h.until IS NULL OR {instant} < h.until"""
