"""Why a lead deserves a rep's time, in a few lines: the short form of its ledger."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from leads.models import Lead
from scoring.ledger import Line, explain
from scoring.models import Rule

MOST_FOR, MOST_AGAINST = 5, 3


@dataclass(frozen=True)
class Reason:
    """What one rule of the scoring model adds or takes away, all its events together."""

    label: str
    points: Decimal
    count: int
    is_fit: bool


@dataclass(frozen=True)
class Why:
    """The strongest reasons for and against; `rest` is what all others add up to.

    All points together are the score.
    """

    score: Decimal
    reasons_for: list[Reason]
    reasons_against: list[Reason]
    rest: Decimal
    blocking: list[str]


def why_promising(lead: Lead) -> Why | None:
    """None while there is no scoring model."""
    explanation = explain(lead)
    if explanation is None:
        return None
    reasons = _by_rule(explanation.lines)
    reasons_for = [r for r in reasons if r.points > 0][:MOST_FOR]
    reasons_against = [r for r in reversed(reasons) if r.points < 0][:MOST_AGAINST]
    shown = sum((r.points for r in (*reasons_for, *reasons_against)), Decimal(0))
    return Why(
        score=explanation.score,
        reasons_for=reasons_for,
        reasons_against=reasons_against,
        rest=explanation.score - shown,
        blocking=[rule.signal.label for rule in explanation.blocking],
    )


def _by_rule(lines: tuple[Line, ...]) -> list[Reason]:
    """Most points first. Caps, floor and ceiling have no rule; they stay in the rest."""
    found: dict[Rule, list[Line]] = defaultdict(list)
    for line in lines:
        if line.rule is not None:
            found[line.rule].append(line)
    reasons = [
        Reason(
            label=rule.signal.label,
            points=sum((line.value for line in same), Decimal(0)),
            count=len(same),
            is_fit=same[0].axis == "fit",
        )
        for rule, same in found.items()
    ]
    return sorted(reasons, key=lambda reason: reason.points, reverse=True)
