"""A version's arithmetic on a matrix of features: rules.py for many rows at once.

Features are those of known_then.py, with a column per signal. A test holds the result equal
to the ledger, to the cent. Needs numpy: only tasks import this.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoring.formula import Weights
from scoring.models import Signal
from scoring.rules import HALF_A_CENT
from scoring.vocabulary import Axis


@dataclass(frozen=True)
class Scores:
    """Per row: points of both axes, and what each signal brought before caps and bounds.

    `points` has a column per signal, zero for those that the version does not weigh.
    """

    fit: np.ndarray
    interest: np.ndarray
    points: np.ndarray

    @property
    def total(self) -> np.ndarray:
        return np.round(self.fit + self.interest, 2)


def score(features: np.ndarray, signals: Sequence[Signal], weights: Weights) -> Scores:
    """Shapes as `features`: (rows, signals)."""
    column = {signal.ordinal: place for place, signal in enumerate(signals)}
    worth = np.zeros(len(signals))
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for rule in weights.rules:
        place = column[rule.ordinal]
        worth[place] = float(rule.points)
        groups[rule.axis, rule.group].append(place)
    points = features.astype(np.float64) * worth
    axes = {axis: np.zeros(len(features)) for axis in Axis.values}
    for (axis, group), places in sorted(groups.items()):
        part = points[:, places].sum(axis=1)
        cap = weights.caps.get((axis, group)) if group else None
        axes[axis] += part if cap is None else np.clip(part, -float(cap), float(cap))
    fit, interest = (_close(axes[axis], weights, axis) for axis in (Axis.FIT, Axis.INTEREST))
    return Scores(fit, interest, points)


def _close(points: np.ndarray, weights: Weights, axis: str) -> np.ndarray:
    """Within floor and ceiling, rounded once."""
    floor, ceiling = weights.bounds[axis]
    bounded = np.clip(points, float(floor), float(ceiling))
    return np.floor(bounded * 100 + HALF_A_CENT) / 100
