"""How many points a version's rules can give at most: is its threshold within reach?"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from django.utils.translation import gettext as _

from scoring.formula import Weights, Worth
from scoring.models import ModelVersion
from scoring.vocabulary import Axis


def most_points(weights: Weights, axis: str) -> Decimal:
    """The most that an axis can reach: every rule that gives points holds, none that takes any.

    Events may count many times, so without a cap only the ceiling bounds them.
    """
    by_group: dict[str, list[Worth]] = defaultdict(list)
    for rule in weights.rules:
        if rule.axis == axis and rule.points > 0:
            by_group[rule.group].append(rule)
    floor, ceiling = weights.bounds[axis]
    total = sum(
        (_most_of(axis, group, some, weights) for group, some in by_group.items()), Decimal(0)
    )
    return max(floor, min(ceiling, total))


def _most_of(axis: str, group: str, rules: list[Worth], weights: Weights) -> Decimal:
    cap = weights.caps.get((axis, group)) if group else None
    if axis == Axis.INTEREST:
        return weights.bounds[axis][1] if cap is None else cap
    total = sum((rule.points for rule in rules), Decimal(0))
    return total if cap is None else min(cap, total)


def find_problem(version: ModelVersion) -> str:
    """A sentence when this version's threshold parts nobody: no lead reaches it, or each does."""
    if sentence := version.met_by_everybody():
        return sentence
    weights = Weights.of(version)
    most = {axis: most_points(weights, axis) for axis in Axis.values}
    for axis in Axis:
        if most[axis] < weights.cuts[axis]:
            return _("%(axis)s: the rules give at most %(most)s points, the cut is %(cut)s.") % {
                "axis": axis.label,
                "most": _shown(most[axis]),
                "cut": _shown(weights.cuts[axis]),
            }
    total = sum(most.values(), Decimal(0))
    if total < weights.threshold:
        return _("No lead can reach %(threshold)s: the rules give at most %(most)s points.") % {
            "threshold": _shown(weights.threshold),
            "most": _shown(total),
        }
    return ""


def _shown(points: Decimal) -> str:
    return f"{points.normalize():f}"
