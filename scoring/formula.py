"""A model version as one SQL query: the arithmetic of rules.py for all leads at once.

The query reads one narrow row per lead (LeadFeature) and yields what
leads/standing.py takes over. Weights, caps and cuts are numbers from validated
columns, so they stand in the SQL as literals and PostgreSQL can plan with them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from scoring.models import ModelVersion, Rule
from scoring.rules import LEAST_EXPONENT
from scoring.vocabulary import Axis


@dataclass(frozen=True)
class Worth:
    """A rule as the arithmetic needs it. `ordinal` counts from 1."""

    ordinal: int
    axis: str
    points: Decimal
    group: str = ""
    half_life_days: int | None = None
    is_blocking: bool = False


@dataclass(frozen=True)
class Weights:
    """All numbers of one model version. `bounds` and `cuts` by axis, `caps` by (axis, group)."""

    number: int
    threshold: Decimal
    bounds: dict[str, tuple[Decimal, Decimal]]
    cuts: dict[str, Decimal]
    rules: tuple[Worth, ...] = ()
    caps: dict[tuple[str, str], Decimal] = field(default_factory=dict)

    @classmethod
    def of(cls, version: ModelVersion) -> Weights:
        """Read a version with its rules and caps: three queries."""
        return cls(
            number=version.number,
            threshold=version.threshold,
            bounds={
                Axis.FIT: (version.fit_floor, version.fit_ceiling),
                Axis.INTEREST: (version.interest_floor, version.interest_ceiling),
            },
            cuts={Axis.FIT: version.fit_cut, Axis.INTEREST: version.interest_cut},
            rules=tuple(_worth(rule) for rule in version.rules.select_related("signal")),
            caps={(cap.axis, cap.group): cap.cap for cap in version.caps.all()},
        )


def _worth(rule: Rule) -> Worth:
    return Worth(
        ordinal=rule.signal.ordinal,
        axis=rule.signal.axis,
        points=rule.points,
        group=rule.group,
        half_life_days=rule.signal.half_life_days,
        is_blocking=rule.is_blocking,
    )


def scores_query(
    weights: Weights, which: str = "true", as_of: str = "%(as_of)s::timestamptz"
) -> str:
    """One row per lead that has features and meets `which` (SQL over alias `f`).

    Columns: lead_id, score, fit, interest, quadrant, is_promising,
    last_activity_at, model_version, scored_at. `as_of` is SQL over `f` as well.
    """
    fit_cut, interest_cut = (_number(weights.cuts[axis]) for axis in (Axis.FIT, Axis.INTEREST))
    return f"""
        WITH aged AS (
            SELECT f.lead_id, f.sums, {as_of} AS as_of,
                   date_part('epoch', {as_of} - f.anchor_at) / 86400 AS days
              FROM scoring_leadfeature f WHERE {which} OFFSET 0
        ), scored AS (
            SELECT lead_id, as_of, {_axis_sql(weights, Axis.FIT)} AS fit,
                   {_axis_sql(weights, Axis.INTEREST)} AS interest,
                   {_blocked_sql(weights)} AS is_blocked
              FROM aged OFFSET 0
        ), placed AS (
            SELECT *, fit >= {fit_cut} AS is_fit, interest >= {interest_cut} AS is_interested,
                   fit + interest AS score
              FROM scored OFFSET 0
        )
        SELECT lead_id, score, fit, interest,
               CASE WHEN is_fit AND is_interested THEN 'both' WHEN is_fit THEN 'fit'
                    WHEN is_interested THEN 'interest' ELSE 'neither' END AS quadrant,
               score >= {_number(weights.threshold)} AND is_fit AND is_interested
                   AND NOT is_blocked AS is_promising,
               NULL::timestamptz AS last_activity_at,
               {weights.number:d} AS model_version, as_of AS scored_at
          FROM placed"""


def _axis_sql(weights: Weights, axis: str) -> str:
    """The points of an axis: groups, each within its cap, summed, bounded, rounded."""
    by_group: dict[str, list[Worth]] = defaultdict(list)
    for rule in weights.rules:
        if rule.axis == axis:
            by_group[rule.group].append(rule)
    parts = []
    for group, rules in sorted(by_group.items()):
        part = _sum_sql(rules)
        cap = weights.caps.get((axis, group)) if group else None
        if cap is not None:
            part = f"greatest(-{_float(cap)}, least({_float(cap)}, {part}))"
        parts.append(part)
    floor, ceiling = weights.bounds[axis]
    total = " + ".join(parts) or _float(Decimal(0))
    return f"round(greatest({_float(floor)}, least({_float(ceiling)}, {total}))::numeric, 2)"


def _sum_sql(rules: Iterable[Worth]) -> str:
    """Rules with the same half-life share one power."""
    by_half_life: dict[int | None, list[str]] = defaultdict(list)
    for rule in rules:
        term = f"{_float(rule.points)} * coalesce(sums[{rule.ordinal:d}], 0)"
        by_half_life[rule.half_life_days].append(term)
    parts = []
    for half_life, terms in by_half_life.items():
        together = " + ".join(terms)
        if half_life is not None:
            together = f"({together}) * {power_sql(f'-days / {half_life:d}')}"
        parts.append(together)
    return f"({' + '.join(parts)})"


def _blocked_sql(weights: Weights) -> str:
    """Whatever is left of it after decay: a counted hit of a blocking rule blocks."""
    parts = [f"coalesce(sums[{r.ordinal:d}], 0) > 0" for r in weights.rules if r.is_blocking]
    return f"({' OR '.join(parts)})" if parts else "false"


def power_sql(exponent: str) -> str:
    """2 to an exponent that may be far below zero: PostgreSQL refuses an underflow."""
    return f"power(2::float8, greatest({exponent}, {LEAST_EXPONENT}))"


def _number(value: Decimal) -> str:
    """A decimal as an SQL literal; negative ones in parentheses, for `--` begins a comment."""
    return f"({Decimal(value):f})"


def _float(value: Decimal) -> str:
    return f"({Decimal(value):f})::float8"
