"""What was known of leads at an instant of each one's own: the features of the past, frozen.

The hits of a past instant are the first ones of today's (hits.hits_query), and a field
counts while it held (FieldMatch). So whatever happened, or was corrected, after the instant
changes nothing here. An event counts from when it happened, also if it arrived later; fields
known when a lead was first looked at are taken to have held from its beginning.

Needs numpy: only tasks import this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from django.db import connection, transaction

from scoring import rescore
from scoring.choosing import these
from scoring.conditions import Parameters
from scoring.formula import power_sql
from scoring.hits import hits_query
from scoring.models import Signal

# Leads whose events are read in one transaction.
CHUNK = 10_000


class Cutoff(NamedTuple):
    """A lead, and the instant up to which things count."""

    lead_id: int
    as_of: datetime


def frozen_features(
    cutoffs: Sequence[Cutoff],
    signals: Sequence[Signal],
    report: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """A row for each cut-off, a column for each signal: what decay left of its hits then.

    Shape (cut-offs, signals). A fit signal is 1 where it held, else 0. Reads the
    leads in chunks, so memory holds the result and the sums of one chunk.
    """
    features = np.zeros((len(cutoffs), len(signals)), dtype=np.float64)
    column = {signal.pk: place for place, signal in enumerate(signals)}
    for first in range(0, len(cutoffs), CHUNK):
        some = cutoffs[first : first + CHUNK]
        for place, signal_id, weight in _weights(some, signals):
            features[first + place, column[signal_id]] = weight
        if report:
            report(first + len(some), len(cutoffs))
    return features


@transaction.atomic
def _weights(
    cutoffs: Sequence[Cutoff], signals: Sequence[Signal]
) -> Iterator[tuple[int, int, float]]:
    """(place of the cut-off, signal, sum) wherever there is any."""
    rescore.set_limits()
    parameters = Parameters(
        lead_ids=sorted({cutoff.lead_id for cutoff in cutoffs}),
        places=list(range(len(cutoffs))),
        cut_ids=[cutoff.lead_id for cutoff in cutoffs],
        instants=[cutoff.as_of for cutoff in cutoffs],
        as_of=max(cutoff.as_of for cutoff in cutoffs),
    )
    parts = [_matches_sql([s for s in signals if s.is_fit], parameters)]
    if on_events := [s for s in signals if not s.is_fit]:
        parts.append(_hits_sql(on_events, parameters))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH cut AS MATERIALIZED (
                SELECT place, lead_id, as_of
                  FROM unnest(%(places)s::int[], %(cut_ids)s::bigint[],
                              %(instants)s::timestamptz[]) AS c (place, lead_id, as_of))
            SELECT place, signal_id, sum(weight) FROM ({" UNION ALL ".join(parts)}) w
             GROUP BY place, signal_id
            """,
            parameters.values,
        )
        return iter(cursor.fetchall())


def _matches_sql(signals: Sequence[Signal], parameters: Parameters) -> str:
    # Once however often it held: a lead's field matches do not overlap.
    return f"""
        SELECT DISTINCT cut.place, m.signal_id, 1::float8 AS weight
          FROM cut JOIN scoring_fieldmatch m ON m.lead_id = cut.lead_id
         WHERE m.signal_id = ANY({parameters.bind([s.pk for s in signals])})
           AND m.since <= cut.as_of AND (m.until IS NULL OR cut.as_of < m.until)"""


def _hits_sql(signals: Sequence[Signal], parameters: Parameters) -> str:
    half_lives = ", ".join(f"({s.pk:d}, {s.half_life_days or 'NULL'}::float8)" for s in signals)
    age = "date_part('epoch', cut.as_of - h.occurred_at) / 86400"
    hits = hits_query(these(parameters.values["lead_ids"]), signals, parameters)
    return f"""
        SELECT cut.place, h.signal_id, CASE WHEN v.half_life IS NULL THEN 1
                    ELSE {power_sql(f"-{age} / v.half_life")} END
          FROM ({hits}) h
          JOIN cut ON cut.lead_id = h.lead_id AND h.occurred_at <= cut.as_of
           AND (h.until IS NULL OR cut.as_of < h.until)
          JOIN (VALUES {half_lives}) AS v (signal_id, half_life) ON v.signal_id = h.signal_id"""
