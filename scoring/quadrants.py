"""Fit × interest of all leads at once, and what other cuts would mean. Reads only.

Everything is counted by PostgreSQL from the standings of the leads that a person may see; a
page, however many leads there are, gets bins and sums. What follows from whole points comes from
one count that is kept for a minute (scoring/quadrant_cells.py); where a cut or a part of the
plane asks for hundredths, the leads are asked. Points are compared as they are stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import ceil, floor

from django.db import connection
from django.utils import timezone

from leads.filters import LeadFilter
from leads.models import LeadQuerySet, Standing
from leads.queries import leads_for
from scoring.formula import in_cents
from scoring.governing import reigns
from scoring.models import DEFAULT_MODEL_ID, ModelVersion
from scoring.quadrant_cells import (
    POINT,
    REACHED,
    REACHED_SQL,
    Crowd,
    blocked_sql,
    chosen,
)

COLUMNS, ROWS = 60, 40  # bins of the picture, at most
MOST_DOTS = 300  # with no more leads than this in sight, each is a dot of its own
LONGEST_NAME = 60
BAND = 10  # points, of a band of the table


@dataclass(frozen=True)
class Cuts:
    """From where on fit and interest are high, and the least score of a promising lead."""

    fit: Decimal
    interest: Decimal
    threshold: Decimal

    @classmethod
    def of(cls, version: ModelVersion) -> Cuts:
        return cls(version.fit_cut, version.interest_cut, version.threshold)

    @property
    def are_whole(self) -> bool:
        return all(
            cut == cut.to_integral_value() for cut in (self.fit, self.interest, self.threshold)
        )


@dataclass(frozen=True)
class Window:
    """A part of the plane, in points, its edges included."""

    fit_from: Decimal
    fit_to: Decimal
    interest_from: Decimal
    interest_to: Decimal

    @property
    def edges(self) -> tuple[int, int, int, int]:
        edges = (self.fit_from, self.fit_to, self.interest_from, self.interest_to)
        x0, x1, y0, y1 = map(in_cents, edges)
        return x0, x1, y0, y1


def scoring_versions() -> list[ModelVersion]:
    """The versions that score anybody now; that of the model for everybody comes first."""
    known = {reign.version.pk: reign.version for reign in reigns()}
    return sorted(known.values(), key=lambda v: (v.model_id != DEFAULT_MODEL_ID, -v.number))


def scored_leads(user, wanted: LeadFilter, only_by: ModelVersion | None = None) -> LeadQuerySet:
    """The leads that have a place in the plane, of those this user may see.

    `only_by`: those whom this version scored; points of different models do not compare.
    """
    leads = leads_for(user, wanted).filter(standing__scored_at__isnull=False)
    return leads.filter(standing__model_version=only_by.number) if only_by else leads


def whole_plane(crowd: Crowd, version: ModelVersion) -> Window:
    """Between floors and ceilings, and as far as leads are that an earlier version scored.

    Its edges are whole points, and it divides into bins of whole points.
    """
    x0, x1, y0, y1 = crowd.edges
    fit = _around(x0, x1, version.fit_floor, version.fit_ceiling, COLUMNS)
    return Window(*fit, *_around(y0, y1, version.interest_floor, version.interest_ceiling, ROWS))


def _around(least: int, greatest: int, floor_at: Decimal, ceiling_at: Decimal, most: int):
    """From where to where, in whole points that fall into at most so many bins, all alike."""
    low, high = min(floor(floor_at), least), ceil(ceiling_at)
    if greatest > high:
        high = greatest + 1
    size = _bin_size(max(1, high - low), most)
    return Decimal(low), Decimal(low + max(1, ceil((high - low) / size)) * size)


def _bin_size(span: int, most: int) -> int:
    """Whole points: the fewest that divide the span evenly, if that is not too coarse."""
    fewest = ceil(span / most)
    return next((n for n in range(fewest, 2 * fewest + 1) if span % n == 0), fewest)


# --- The picture --------------------------------------------------------------


@dataclass(frozen=True)
class Picture:
    """What is in a window: bins of (column, row, count), and single leads when they are few.

    The window has `columns` × `rows` bins; column 0 is the least fit, row 0 the least interest.
    A dot is (lead id, name, fit, interest), in points; None: too many to show.
    """

    bins: list[tuple[int, int, int]]
    dots: list[tuple[int, str, Decimal, Decimal]] | None
    columns: int = COLUMNS
    rows: int = ROWS

    @property
    def count(self) -> int:
        return sum(n for _column, _row, n in self.bins)


def whole_picture(leads: LeadQuerySet, crowd: Crowd, whole: Window) -> Picture:
    """All of these leads; `whole` is as whole_plane gives it, for them or for more leads."""
    x0, x1, y0, y1 = (edge // POINT for edge in whole.edges)
    wide, high = _bin_size(x1 - x0, COLUMNS), _bin_size(y1 - y0, ROWS)
    columns, rows = (x1 - x0) // wide, (y1 - y0) // high
    found: dict[tuple[int, int], int] = {}
    for fit, interest, _score, _blocked, _reached, count in crowd.cells:
        # At the ceiling itself, and beyond the edge when counted in another minute than the plane.
        column, row = (fit - x0) // wide, (interest - y0) // high
        place = max(0, min(column, columns - 1)), max(0, min(row, rows - 1))
        found[place] = found.get(place, 0) + count
    bins = [(column, row, count) for (column, row), count in found.items()]
    return Picture(bins, _dots_if_few(bins, leads, whole), columns, rows)


def picture(leads: LeadQuerySet, window: Window) -> Picture:
    """A part of the plane, to the hundredth: one query, and a capped one when leads are few."""
    bins = read_bins(leads, window)
    return Picture(bins, _dots_if_few(bins, leads, window))


def _dots_if_few(bins, leads: LeadQuerySet, window: Window):
    is_few = sum(n for _column, _row, n in bins) <= MOST_DOTS
    return _dots(leads, window) if is_few else None


def read_bins(leads: LeadQuerySet, window: Window) -> list[tuple[int, int, int]]:
    x0, x1, y0, y1 = window.edges
    sql, values = chosen(leads)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH chosen (lead_id, fit, interest) AS ({sql})
                SELECT least((fit - %s)::bigint * {COLUMNS} / %s, {COLUMNS - 1})::int,
                       least((interest - %s)::bigint * {ROWS} / %s, {ROWS - 1})::int, count(*)
                  FROM chosen WHERE fit BETWEEN %s AND %s AND interest BETWEEN %s AND %s
                 GROUP BY 1, 2""",
            [*values, x0, x1 - x0, y0, y1 - y0, x0, x1, y0, y1],
        )
        return cursor.fetchall()


def _dots(leads: LeadQuerySet, window: Window) -> list[tuple[int, str, Decimal, Decimal]]:
    inside = leads.filter(
        standing__fit__range=(window.fit_from, window.fit_to),
        standing__interest__range=(window.interest_from, window.interest_to),
    ).select_related("standing")
    names = ("first_name", "last_name", "email", "company")
    found = inside.only(*names, "standing__fit", "standing__interest").order_by("pk")[:MOST_DOTS]
    return [
        (lead.pk, lead.name[:LONGEST_NAME], lead.standing.fit, lead.standing.interest)
        for lead in found
    ]


# --- The figures --------------------------------------------------------------


@dataclass(frozen=True)
class Tally:
    """So many leads, and how many of them ever reached each stage of REACHED."""

    count: int = 0
    reached: tuple[int, ...] = (0,) * len(REACHED)

    def __add__(self, other: Tally) -> Tally:
        reached = tuple(a + b for a, b in zip(self.reached, other.reached, strict=True))
        return Tally(self.count + other.count, reached)

    @property
    def shares(self) -> list[float | None]:
        """Of all, 0..1, in the order of REACHED; None where there is nobody."""
        return [n / self.count if self.count else None for n in self.reached]


@dataclass(frozen=True)
class Figures:
    """What the cuts make of all leads, as of an instant.

    `entering` and `leaving` compare with the version that scores.
    """

    quadrants: dict[str, Tally]
    total: Tally
    promising: int
    entering: int
    leaving: int
    as_of: datetime


# (is_fit, is_interested, is_now, was_before, reached): promising by these cuts, and by those
# of the version that scores.
Group = tuple[bool, bool, bool, bool, int]


def figures(leads: LeadQuerySet, version: ModelVersion, cuts: Cuts, crowd: Crowd) -> Figures:
    """Counts by quadrant, conversion, and who would (no longer) be promising.

    `crowd` is that of the leads. It is asked where all cuts are whole points, else the leads are.
    """
    if cuts.are_whole and Cuts.of(version).are_whole:
        return _added_up(_from_cells(crowd, version, cuts), crowd.counted_at)
    as_of = timezone.now()
    return _added_up(_from_leads(leads, version, cuts), as_of)


def _added_up(groups: dict[Group, int], as_of: datetime) -> Figures:
    quadrants = {key: Tally() for key in Standing.Quadrant.values}
    promising = entering = leaving = 0
    for (is_fit, is_interested, is_now, was_before, mask), count in groups.items():
        reached = tuple(count * (mask >> bit & 1) for bit in range(len(REACHED)))
        quadrants[_quadrant(is_fit, is_interested)] += Tally(count, reached)
        promising += count * is_now
        entering += count * (is_now and not was_before)
        leaving += count * (was_before and not is_now)
    total = sum(quadrants.values(), Tally())
    return Figures(quadrants, total, promising, entering, leaving, as_of)


def _from_cells(crowd: Crowd, version: ModelVersion, cuts: Cuts) -> dict[Group, int]:
    fit_cut, interest_cut, threshold = (cut // POINT for cut in _cents(cuts))
    fit_before, interest_before, least_before = (c // POINT for c in _cents(Cuts.of(version)))
    groups: dict[Group, int] = {}
    for fit, interest, score, is_blocked, reached, count in crowd.cells:
        is_fit, is_interested = fit >= fit_cut, interest >= interest_cut
        is_now = is_fit and is_interested and score >= threshold and not is_blocked
        was_before = fit >= fit_before and interest >= interest_before and score >= least_before
        group = is_fit, is_interested, is_now, was_before and not is_blocked, reached
        groups[group] = groups.get(group, 0) + count
    return groups


def _quadrant(is_fit: bool, is_interested: bool) -> str:
    if is_fit and is_interested:
        return Standing.Quadrant.BOTH
    if is_fit:
        return Standing.Quadrant.FIT
    return Standing.Quadrant.INTEREST if is_interested else Standing.Quadrant.NEITHER


def _from_leads(leads: LeadQuerySet, version: ModelVersion, cuts: Cuts) -> dict[Group, int]:
    sql, values = chosen(leads)
    is_promising = "fit >= %s AND interest >= %s AND fit + interest >= %s AND b.lead_id IS NULL"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH chosen (lead_id, fit, interest) AS ({sql})
                SELECT fit >= %s, interest >= %s, {is_promising}, {is_promising},
                       coalesce(r.reached, 0), count(*)
                  FROM chosen
                  LEFT JOIN ({blocked_sql(version)}) b USING (lead_id)
                  LEFT JOIN ({REACHED_SQL}) r USING (lead_id)
                 GROUP BY 1, 2, 3, 4, 5""",
            [*values, *_cents(cuts)[:2], *_cents(cuts), *_cents(Cuts.of(version))],
        )
        return {tuple(group): count for *group, count in cursor.fetchall()}


def _cents(cuts: Cuts) -> tuple[int, int, int]:
    return in_cents(cuts.fit), in_cents(cuts.interest), in_cents(cuts.threshold)
