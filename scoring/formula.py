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
from scoring.rules import HALF_A_CENT, LEAST_EXPONENT
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


def scores_query(weights: Weights, which: str = "true", as_of: str = "", anchors: str = "") -> str:
    """One row per lead that has features and meets `which` (SQL over alias `f`).

    Columns: lead_id, score, fit, interest, quadrant, is_promising,
    model_version, scored_at; points are whole hundredths. The instant is the parameter
    %(as_of)s, or SQL over `f` that gives each lead its own. `anchors`, where the caller
    knows all there are: SQL for an array of them, instead of a search in all features.
    """
    fit_cut, interest_cut = (in_cents(weights.cuts[axis]) for axis in (Axis.FIT, Axis.INTEREST))
    # OFFSET 0 keeps PostgreSQL from writing out, and so computing, each sum many times.
    return f"""
        SELECT lead_id, fit + interest AS score, fit, interest,
               CASE WHEN fit >= {fit_cut} THEN
                   CASE WHEN interest >= {interest_cut} THEN 'both' ELSE 'fit' END
               ELSE CASE WHEN interest >= {interest_cut} THEN 'interest' ELSE 'neither' END
               END AS quadrant,
               fit + interest >= {in_cents(weights.threshold)} AND fit >= {fit_cut}
                   AND interest >= {interest_cut} AND NOT is_blocked AS is_promising,
               {weights.number:d} AS model_version, as_of AS scored_at
          FROM (SELECT f.lead_id, d.as_of, {_axis_sql(weights, Axis.FIT)} AS fit,
                       {_axis_sql(weights, Axis.INTEREST)} AS interest,
                       {_blocked_sql(weights)} AS is_blocked
                  FROM scoring_leadfeature f JOIN {_decay_sql(weights, which, as_of, anchors)}
                 WHERE {which} OFFSET 0) scored"""


def _decay_sql(weights: Weights, which: str, as_of: str, anchors: str) -> str:
    """A join that knows what decay left since the anchor: one column per half-life.

    Anchors are shared by all leads folded in a month, so at one instant there are
    only a few rows to compute.
    """
    half_lives = sorted({r.half_life_days for r in weights.rules if r.half_life_days})
    age = "date_part('epoch', as_of - anchor_at) / 86400"
    columns = "".join(
        f", {power_sql(f'-{age} / {half_life:d}')} AS d{half_life:d}" for half_life in half_lives
    )
    if as_of:
        own = f"SELECT f.lead_id, f.anchor_at, {as_of} AS as_of FROM scoring_leadfeature f"
        return f"(SELECT *{columns} FROM ({own} WHERE {which}) own) d ON d.lead_id = f.lead_id"
    # Grouped, so that the powers are computed before the join, once for each anchor.
    own = f"ARRAY(SELECT DISTINCT f.anchor_at FROM scoring_leadfeature f WHERE {which})"
    return f"""(SELECT anchor_at, as_of{columns}
                  FROM unnest({anchors or own}) anchor_at,
                       (SELECT %(as_of)s::timestamptz AS as_of) now
                 GROUP BY anchor_at, as_of) d ON d.anchor_at = f.anchor_at"""


def _axis_sql(weights: Weights, axis: str) -> str:
    """The points of an axis in cents: groups, each within its cap, summed, bounded, rounded."""
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
    bounded = f"greatest({_float(floor)}, least({_float(ceiling)}, {total}))"
    return f"floor({bounded} * 100 + {HALF_A_CENT})::int"


def _sum_sql(rules: Iterable[Worth]) -> str:
    """Rules with the same half-life share its decay."""
    by_half_life: dict[int | None, list[str]] = defaultdict(list)
    for rule in rules:
        term = f"{_float(rule.points)} * coalesce(f.sums[{rule.ordinal:d}], 0)"
        by_half_life[rule.half_life_days].append(term)
    parts = [
        f"({' + '.join(terms)})" + (f" * d.d{half_life:d}" if half_life else "")
        for half_life, terms in by_half_life.items()
    ]
    return f"({' + '.join(parts)})"


def _blocked_sql(weights: Weights) -> str:
    """Whatever is left of it after decay: a counted hit of a blocking rule blocks."""
    parts = [f"coalesce(f.sums[{r.ordinal:d}], 0) > 0" for r in weights.rules if r.is_blocking]
    return f"({' OR '.join(parts)})" if parts else "false"


def power_sql(exponent: str) -> str:
    """2 to an exponent that may be far below zero: PostgreSQL refuses an underflow."""
    return f"power(2::float8, greatest({exponent}, {LEAST_EXPONENT}))"


def in_cents(points: Decimal) -> int:
    return int(points * 100)


def _float(value: Decimal) -> str:
    """A number as an SQL literal; in parentheses, for `--` begins a comment."""
    return f"({Decimal(value):f})::float8"
