"""Weights that past outcomes speak for: a logistic regression over what each rule counts.

Needs numpy and scikit-learn: only tasks import this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from scoring import ranking
from scoring.choosing import EVERYBODY, Which
from scoring.formula import Weights
from scoring.known_then import frozen_features
from scoring.models import Signal
from scoring.outcomes import known_outcomes
from scoring.scorecard import score
from scoring.studies import Report

FEWEST_OUTCOMES = 100
FEWEST_OF_EACH = 20
# A rule that held for fewer leads says nothing about its weight.
FEWEST_HELD = 20
HOLD_OUT = 0.2
# Ridge penalty: 1 / (2 C) on standardised features keeps rules that go together from diverging.
PENALTY_C = 0.5
MOST_POINTS = 100
NOT_ENOUGH = "not_enough_data"


def suggest(
    weights: Weights,
    signals: Sequence[Signal],
    report: Report | None = None,
    which: Which = EVERYBODY,
) -> dict[str, Any]:
    """Points for each rule, from leads of known outcome as they were known then.

    The newest fifth is held out and only judges. Keys: `state` ("ok" or "not_enough_data"),
    `outcomes`, `won`, and when there was enough `hold_out` (size, AUC of the suggested and of
    the present weights, the difference) and `rules`, one a signal: suggested points with their
    95 % range, or None with `why` not.
    """
    outcomes, _left_out = known_outcomes(which)
    # By decision: at any instant one knows the outcomes that were decided by then. By the date
    # of the hand-off the newest fifth would hold only what was decided quickly: rejections.
    outcomes.sort(key=lambda outcome: (outcome.decided_at, outcome.lead_id))
    won = np.array([outcome.is_won for outcome in outcomes], dtype=bool)
    said = {"outcomes": len(won), "won": int(won.sum())}
    first_held_out = round(len(won) * (1 - HOLD_OUT))
    if not _is_enough(won, first_held_out):
        return {"state": NOT_ENOUGH, "fewest": FEWEST_OUTCOMES, **said}
    features = frozen_features([outcome.cutoff for outcome in outcomes], signals, report)
    learned = _learn(features[:first_held_out], won[:first_held_out])
    held = (features[:first_held_out] > 0).sum(axis=0)
    points, ranges = _as_points(learned, held, weights, signals)
    rules = [
        _rule(place, signal, weights, features, won, points, ranges)
        for place, signal in enumerate(signals)
    ]
    chosen = _with(weights, {rule["ordinal"]: rule["suggested"] for rule in rules})
    held_out = slice(first_held_out, None)
    return {
        "state": "ok",
        **said,
        "hold_out": _judge(features[held_out], won[held_out], signals, chosen, weights),
        "from": outcomes[0].decided_at.isoformat(),
        "until": outcomes[-1].decided_at.isoformat(),
        "rules": rules,
    }


def _is_enough(won: np.ndarray, first_held_out: int) -> bool:
    parts = (won, ~won, won[:first_held_out], ~won[:first_held_out])
    late = (won[first_held_out:].any(), (~won[first_held_out:]).any())
    return (
        len(won) >= FEWEST_OUTCOMES
        and min(int(part.sum()) for part in parts) >= FEWEST_OF_EACH
        and all(late)
    )


def _learn(features: np.ndarray, won: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds for one unit of each feature, and their standard errors.

    Standardised, so that the penalty treats all rules alike; the errors are from the inverse
    of the penalised information matrix (Hastie, Tibshirani, Friedman, 4.4.1 and 3.4.1).
    """
    spread = features.std(axis=0)
    usable = spread > 0
    scaled = (features[:, usable] - features[:, usable].mean(axis=0)) / spread[usable]
    model = LogisticRegression(C=PENALTY_C, max_iter=1000).fit(scaled, won)
    chances = model.predict_proba(scaled)[:, 1]
    information = (scaled * (chances * (1 - chances))[:, None]).T @ scaled
    information += np.eye(len(information)) / PENALTY_C
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    found, error = np.zeros(len(spread)), np.zeros(len(spread))
    found[usable] = model.coef_[0] / spread[usable]
    error[usable] = errors / spread[usable]
    return found, error


def _as_points(
    learned: tuple[np.ndarray, np.ndarray],
    held: np.ndarray,
    weights: Weights,
    signals: Sequence[Signal],
) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds on the scale of the present points, and half the width of their ranges.

    Rules of which the outcomes speak clearly keep as many points together as they have now.
    """
    log_odds, errors = learned
    rules = {rule.ordinal: rule for rule in weights.rules}
    present = np.array([abs(float(rules[signal.ordinal].points)) for signal in signals])
    is_weighed = np.array([not rules[signal.ordinal].is_blocking for signal in signals])
    clear = (np.abs(log_odds) > ranking.Z * errors) & (held >= FEWEST_HELD) & is_weighed
    if not clear.any():
        clear = is_weighed & (held >= FEWEST_HELD)
    size = np.abs(log_odds[clear]).sum()
    scale = present[clear].sum() / size if size else 0.0
    return log_odds * scale, ranking.Z * errors * scale


def _rule(
    place: int,
    signal: Signal,
    weights: Weights,
    features: np.ndarray,
    won: np.ndarray,
    points: np.ndarray,
    ranges: np.ndarray,
) -> dict[str, Any]:
    """One rule: what it is worth now, what outcomes say, and the reason in numbers."""
    rule = next(rule for rule in weights.rules if rule.ordinal == signal.ordinal)
    held = features[:, place] > 0
    value, spread = float(points[place]), float(ranges[place])
    why = _why_not(bool(rule.is_blocking), int(held.sum()), value, spread)
    suggested = None if why else int(np.clip(round(value), -MOST_POINTS, MOST_POINTS))
    return {
        "signal": signal.pk,
        "ordinal": signal.ordinal,
        "points": float(rule.points),
        "suggested": suggested,
        "low": value - spread,
        "high": value + spread,
        "why": why,
        "held_won": int((held & won).sum()),
        "held_not_won": int((held & ~won).sum()),
    }


def _why_not(is_blocking: bool, held: int, value: float, spread: float) -> str:
    """Why the weight stays: it blocks, held for too few, or could as well be nothing."""
    if is_blocking:
        return "blocks"
    if held < FEWEST_HELD:
        return "too_few"
    return "unclear" if abs(value) < spread else ""


def _with(weights: Weights, points: dict[int, int | None]) -> Weights:
    """The version with these points where there are any."""
    rules = [
        replace(rule, points=Decimal(suggested)) if suggested is not None else rule
        for rule in weights.rules
        for suggested in (points.get(rule.ordinal),)
    ]
    return replace(weights, rules=tuple(rules))


def _judge(
    features: np.ndarray,
    won: np.ndarray,
    signals: Sequence[Signal],
    chosen: Weights,
    present: Weights,
) -> dict[str, Any]:
    """How both rank the leads that were held out, with caps and bounds as they are."""
    mine, theirs = (score(features, signals, each).total.tolist() for each in (chosen, present))
    labels = won.tolist()
    intervals = {
        "suggested": ranking.auc_interval(mine, labels),
        "present": ranking.auc_interval(theirs, labels),
        "difference": ranking.auc_difference(mine, theirs, labels),
    }
    return {"size": len(labels)} | {
        name: asdict(interval) if interval else None for name, interval in intervals.items()
    }
