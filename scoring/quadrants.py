"""Fit × interest of all leads at once, and what other cuts would mean. Reads only.

Everything is counted by PostgreSQL from the standings of the leads that a person may
see; a page, however many leads there are, gets bins and sums. Points are compared as
they are stored, in whole hundredths.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Exists, Max, Min, OuterRef, Q

from leads.filters import LeadFilter
from leads.models import LeadQuerySet, Standing
from leads.queries import leads_for
from leads.stages import Stage
from scoring.formula import in_cents
from scoring.governing import reigns
from scoring.models import DEFAULT_MODEL_ID, LeadFeature, ModelVersion

COLUMNS, ROWS = 60, 40  # bins of the picture
MOST_DOTS = 300  # with no more leads than this in sight, each is a dot of its own
LONGEST_NAME = 60
BAND = 1000  # a band of the table: ten points, in hundredths
# What conversion is counted to: whether a lead ever entered the stage, in any cycle.
REACHED = (Stage.MQL, Stage.SAL, Stage.CUSTOMER)


@dataclass(frozen=True)
class Cuts:
    """From where on fit and interest are high, and the least score of a promising lead."""

    fit: Decimal
    interest: Decimal
    threshold: Decimal

    @classmethod
    def of(cls, version: ModelVersion) -> Cuts:
        return cls(version.fit_cut, version.interest_cut, version.threshold)


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


def whole_plane(leads: LeadQuerySet, version: ModelVersion) -> Window:
    """Between floors and ceilings, and as far as leads are that an earlier version scored."""
    names = "standing__fit", "standing__interest"
    found = leads.order_by().aggregate(
        **{f"{name}_{of.__name__}": of(name) for name in names for of in (Min, Max)}
    )
    x0, x1, y0, y1 = (Decimal(edge or 0) for edge in found.values())
    return Window(
        min(version.fit_floor, x0),
        max(version.fit_ceiling, x1),
        min(version.interest_floor, y0),
        max(version.interest_ceiling, y1),
    )


# --- The picture --------------------------------------------------------------


@dataclass(frozen=True)
class Picture:
    """What is in a window: bins of (column, row, count), and single leads when they are few.

    Column 0 is the least fit, row 0 the least interest. A dot is (lead id, name, fit,
    interest), in points; None: too many to show.
    """

    bins: list[tuple[int, int, int]]
    dots: list[tuple[int, str, Decimal, Decimal]] | None

    @property
    def count(self) -> int:
        return sum(n for _column, _row, n in self.bins)


def picture(leads: LeadQuerySet, window: Window) -> Picture:
    """One query; a second, capped one when few leads are in the window."""
    bins = read_bins(leads, window)
    is_few = sum(n for _column, _row, n in bins) <= MOST_DOTS
    return Picture(bins, _dots(leads, window) if is_few else None)


def read_bins(leads: LeadQuerySet, window: Window) -> list[tuple[int, int, int]]:
    x0, x1, y0, y1 = window.edges
    chosen, values = _chosen(leads)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH chosen (lead_id, fit, interest) AS ({chosen})
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


def _chosen(leads: LeadQuerySet) -> tuple[str, tuple]:
    """SQL for (lead id, fit, interest) of these leads, points in hundredths."""
    columns = leads.order_by().values_list("pk", "standing__fit", "standing__interest")
    try:
        return columns.query.sql_with_params()
    except EmptyResultSet:  # who sees nobody, such as a manager without a team
        return "SELECT 0::bigint, 0, 0 WHERE false", ()


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
    """What the cuts make of all leads. `bands`: (least fit, least interest) → count, ten points
    wide. `entering` and `leaving` compare with the version that scores."""

    quadrants: dict[str, Tally]
    total: Tally
    promising: int
    entering: int
    leaving: int
    bands: dict[tuple[int, int], int]


def figures(leads: LeadQuerySet, version: ModelVersion, cuts: Cuts) -> Figures:
    """Counts by quadrant, conversion, and who would (no longer) be promising: one query."""
    rows = _grouped(leads, version, cuts)
    quadrants = {key: Tally() for key in Standing.Quadrant.values}
    bands: dict[tuple[int, int], int] = {}
    promising = entering = leaving = 0
    for is_fit, is_interested, is_now, was_before, fit, interest, count, *reached in rows:
        quadrants[_quadrant(is_fit, is_interested)] += Tally(count, tuple(reached))
        place = fit * BAND // 100, interest * BAND // 100
        bands[place] = bands.get(place, 0) + count
        promising += count * is_now
        entering += count * (is_now and not was_before)
        leaving += count * (was_before and not is_now)
    total = sum(quadrants.values(), Tally())
    return Figures(quadrants, total, promising, entering, leaving, bands)


def _quadrant(is_fit: bool, is_interested: bool) -> str:
    if is_fit and is_interested:
        return Standing.Quadrant.BOTH
    if is_fit:
        return Standing.Quadrant.FIT
    return Standing.Quadrant.INTEREST if is_interested else Standing.Quadrant.NEITHER


def _grouped(leads: LeadQuerySet, version: ModelVersion, cuts: Cuts) -> list[tuple[Any, ...]]:
    chosen, values = _chosen(leads)
    blocked, join = _blocked_sql(version)
    stages = [stage.value for stage in REACHED]
    reached = ", ".join(f"bool_or(stage = '{stage}') AS {stage}" for stage in stages)
    counts = ", ".join(f"count(*) FILTER (WHERE r.{stage})" for stage in stages)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH chosen (lead_id, fit, interest) AS ({chosen}), placed AS (
                    SELECT c.*, fit >= %s AS is_fit, interest >= %s AS is_interested,
                           fit >= %s AND interest >= %s AND fit + interest >= %s
                           AND NOT {blocked} AS is_now,
                           fit >= %s AND interest >= %s AND fit + interest >= %s
                           AND NOT {blocked} AS was_before
                      FROM chosen c {join})
                SELECT is_fit, is_interested, is_now, was_before,
                       floor(fit / {BAND}.0)::int, floor(interest / {BAND}.0)::int,
                       count(*), {counts}
                  FROM placed LEFT JOIN (
                       SELECT lead_id, {reached} FROM leads_stageepisode
                        WHERE stage = ANY(%s) GROUP BY lead_id) r USING (lead_id)
                 GROUP BY 1, 2, 3, 4, 5, 6""",
            [*values, *_cents(cuts)[:2], *_cents(cuts), *_cents(Cuts.of(version)), stages],
        )
        return cursor.fetchall()


def _cents(cuts: Cuts) -> tuple[int, int, int]:
    return in_cents(cuts.fit), in_cents(cuts.interest), in_cents(cuts.threshold)


def _blocked_sql(version: ModelVersion) -> tuple[str, str]:
    """Whether something blocks a lead, and the join that tells it."""
    ordinals = _blocking_ordinals(version)
    if not ordinals:
        return "false", ""
    holds = " OR ".join(f"coalesce(f.sums[{ordinal:d}], 0) > 0" for ordinal in ordinals)
    return f"({holds})", "LEFT JOIN scoring_leadfeature f ON f.lead_id = c.lead_id"


def _blocking_ordinals(version: ModelVersion) -> Sequence[int]:
    blocking = version.rules.filter(is_blocking=True).order_by("signal__ordinal")
    return list(blocking.values_list("signal__ordinal", flat=True))


# --- The leads behind a figure -----------------------------------------------


def leads_in_quadrant(leads: LeadQuerySet, cuts: Cuts, quadrant: str) -> LeadQuerySet:
    """Those whom these cuts put into a quadrant."""
    is_fit = Q(standing__fit__gte=cuts.fit)
    is_interested = Q(standing__interest__gte=cuts.interest)
    wants_fit = quadrant in (Standing.Quadrant.BOTH, Standing.Quadrant.FIT)
    wants_interest = quadrant in (Standing.Quadrant.BOTH, Standing.Quadrant.INTEREST)
    return leads.filter(
        is_fit if wants_fit else ~is_fit, is_interested if wants_interest else ~is_interested
    )


def promising_leads(leads: LeadQuerySet, version: ModelVersion, cuts: Cuts) -> LeadQuerySet:
    """Those who would be promising with these cuts."""
    return leads.filter(_is_promising(cuts)).exclude(_is_blocked(version))


def entering_leads(leads: LeadQuerySet, version: ModelVersion, cuts: Cuts) -> LeadQuerySet:
    """Those who would be promising with these cuts and are not with the version's."""
    return promising_leads(leads, version, cuts).exclude(_is_promising(Cuts.of(version)))


def leaving_leads(leads: LeadQuerySet, version: ModelVersion, cuts: Cuts) -> LeadQuerySet:
    """Those who are promising with the version's cuts and would not be with these."""
    return promising_leads(leads, version, Cuts.of(version)).exclude(_is_promising(cuts))


def _is_promising(cuts: Cuts) -> Q:
    return Q(
        standing__fit__gte=cuts.fit,
        standing__interest__gte=cuts.interest,
        standing__score__gte=cuts.threshold,
    )


def _is_blocked(version: ModelVersion) -> Q:
    features = LeadFeature.objects.filter(_any_holds(_blocking_ordinals(version)))
    return Q(Exists(features.filter(lead=OuterRef("pk"))))


def _any_holds(ordinals: Iterable[int]) -> Q:
    holds = Q(pk__in=[])
    for ordinal in ordinals:
        # Django counts elements of an array from 0, PostgreSQL and ordinals from 1.
        holds |= Q(**{f"sums__{ordinal - 1}__gt": 0})
    return holds
