"""All leads of the plane counted once by whole points, so that trying out cuts asks no table again.

A cell is a point of fit by a point of interest by a point of score. Cuts of whole points divide
no cell, so whatever they are, figures follow from the cells to the lead. Counting takes one
statement over all the leads; it is kept for a minute, for everybody who sees the same leads.
"""

from __future__ import annotations

import hashlib
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.utils import timezone

from leads.models import LeadQuerySet
from leads.stages import Stage
from scoring.models import ModelVersion

KEPT = 60  # seconds
POINT = 100  # hundredths
# What conversion is counted to: whether a lead ever entered the stage, in any cycle.
REACHED = (Stage.MQL, Stage.SAL, Stage.CUSTOMER)
# Makes every `integer` positive, for its division rounds towards 0; whole points, to keep them.
SHIFT = 2_147_483_700

# (fit, interest, score, is_blocked, reached, count): points rounded down; bit n of `reached`
# tells whether the leads ever entered REACHED[n].
Cell = tuple[int, int, int, int, int, int]
WIDTH = 6


@dataclass(frozen=True)
class Crowd:
    """The cells that hold somebody, and when they were counted."""

    cells: list[Cell]
    counted_at: datetime

    @property
    def edges(self) -> tuple[int, int, int, int]:
        """(least, greatest fit, least, greatest interest), points rounded down; 0 for nobody."""
        if not self.cells:
            return 0, 0, 0, 0
        fits, interests = [cell[0] for cell in self.cells], [cell[1] for cell in self.cells]
        return min(fits), max(fits), min(interests), max(interests)

    def bands(self, width: int) -> dict[tuple[int, int], int]:
        """(least fit, least interest) → count, by squares of `width` points."""
        found: dict[tuple[int, int], int] = {}
        for fit, interest, _score, _blocked, _reached, count in self.cells:
            place = fit // width * width, interest // width * width
            found[place] = found.get(place, 0) + count
        return found


def crowd_of(leads: LeadQuerySet, version: ModelVersion) -> Crowd:
    """These leads, as they were counted within the last minute."""
    sql, values = chosen(leads)
    asked = hashlib.sha256(repr((sql, values, version.pk)).encode()).hexdigest()
    key = f"scoring.crowd.{asked}"
    if kept := cache.get(key):
        counted_at, packed = kept
        numbers = array("q", zlib.decompress(packed))
        columns = [numbers[place::WIDTH] for place in range(WIDTH)]
        return Crowd(list(zip(*columns, strict=True)), counted_at)
    crowd = count_crowd(leads, version)
    flat = array("q", [number for cell in crowd.cells for number in cell])
    cache.set(key, (crowd.counted_at, zlib.compress(flat.tobytes(), 1)), KEPT)
    return crowd


def count_crowd(leads: LeadQuerySet, version: ModelVersion) -> Crowd:
    """Count them now: one statement. Its groups are packed into one number, which is quicker."""
    counted_at = timezone.now()
    sql, values = chosen(leads)
    shifted = [f"({name}::bigint + {SHIFT}) / {POINT}" for name in ("fit", "interest")]
    carry = (
        f"((fit + {SHIFT}::bigint) %% {POINT} + (interest + {SHIFT}::bigint) %% {POINT}) / {POINT}"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH chosen (lead_id, fit, interest) AS ({sql})
                SELECT ((({shifted[0]} << 26) + {shifted[1]}) << 5)
                       + ({carry} << 4) + (CASE WHEN b.lead_id IS NULL THEN 0 ELSE 8 END)
                       + coalesce(r.reached, 0) AS place, count(*)
                  FROM chosen
                  LEFT JOIN ({blocked_sql(version)}) b USING (lead_id)
                  LEFT JOIN ({REACHED_SQL}) r USING (lead_id)
                 GROUP BY place""",
            values,
        )
        found = cursor.fetchall()
    return Crowd([_unpacked(place, count) for place, count in found], counted_at)


def _unpacked(place: int, count: int) -> Cell:
    fit = (place >> 31) - SHIFT // POINT
    interest = (place >> 5 & (1 << 26) - 1) - SHIFT // POINT
    return fit, interest, fit + interest + (place >> 4 & 1), place >> 3 & 1, place & 7, count


def chosen(leads: LeadQuerySet) -> tuple[str, tuple]:
    """SQL for (lead id, fit, interest) of these leads, points in hundredths."""
    columns = leads.order_by().values_list("pk", "standing__fit", "standing__interest")
    try:
        return columns.query.sql_with_params()
    except EmptyResultSet:  # who sees nobody, such as a manager without a team
        return "SELECT 0::bigint, 0, 0 WHERE false", ()


REACHED_SQL = f"""
    SELECT lead_id, bit_or(CASE stage {
    " ".join(f"WHEN '{stage.value}' THEN {1 << bit}" for bit, stage in enumerate(REACHED))
} END) AS reached
      FROM leads_stageepisode
     WHERE stage IN ({", ".join(f"'{stage.value}'" for stage in REACHED)}) GROUP BY lead_id
"""


def blocked_sql(version: ModelVersion) -> str:
    """The leads that something blocks."""
    holds = " OR ".join(f"sums[{ordinal:d}] > 0" for ordinal in blocking_ordinals(version))
    return f"SELECT lead_id FROM scoring_leadfeature WHERE {holds or 'false'}"


def blocking_ordinals(version: ModelVersion) -> Sequence[int]:
    blocking = version.rules.filter(is_blocking=True).order_by("signal__ordinal")
    return list(blocking.values_list("signal__ordinal", flat=True))
