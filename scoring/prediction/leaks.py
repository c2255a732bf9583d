"""Fields that know too much: alone they tell the outcome, or they are filled in after it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from scoring.prediction.encoding import CATEGORY, learn_field, numbers_of, text_of
from scoring.prediction.metrics import auc
from scoring.prediction.tables import Cell, Table

MOST_AUC = 0.8
# A field that was filled on at least so many rows, and nearly all of one outcome.
FEWEST_FILLED = 30
SHARE_OF_ONE_OUTCOME = 0.98
SMOOTHING = 2.0

ALONE, AFTERWARDS = "alone", "afterwards"


@dataclass(frozen=True)
class Leak:
    """`kind`: alone (its AUC is `value`) or afterwards (`value` of its rows have one outcome)."""

    field: str
    kind: str
    value: float

    def as_json(self) -> dict:
        return asdict(self)


def find_leaks(table: Table) -> list[Leak]:
    """Suspicious fields of the training rows, the worst first. At most one line per field."""
    labels = np.array(table.labels)
    found = [_leak_of(name, cells, labels) for name, cells in table.columns.items()]
    return sorted((leak for leak in found if leak), key=lambda leak: (-leak.value, leak.field))


def _leak_of(name: str, cells, labels: np.ndarray) -> Leak | None:
    alone = single_field_auc(name, cells, labels)
    if alone > MOST_AUC:
        return Leak(name, ALONE, alone)
    share = _share_of_one_outcome(cells, labels)
    return Leak(name, AFTERWARDS, share) if share >= SHARE_OF_ONE_OUTCOME else None


def single_field_auc(name: str, cells: list[Cell], labels: np.ndarray) -> float:
    """AUC of one field alone: 0.5 says nothing, 1.0 everything; either direction counts.

    A category speaks through its share of outcomes, learned from the other half of the rows,
    so that rare values do not vouch for themselves.
    """
    field = learn_field(name, cells)
    if field is None or len(np.unique(labels)) < 2:
        return 0.5
    by_group = _auc_of_groups(cells, labels)
    if field.kind == CATEGORY:
        return by_group
    values = numbers_of(cells)
    known = ~np.isnan(values)
    ordered = auc(labels[known], values[known]) if known.any() else 0.5
    # Only what is known has an order; weigh it by how much that is.
    ordered = 0.5 + abs(ordered - 0.5) * known.mean() if not np.isnan(ordered) else 0.5
    is_known = auc(labels, known.astype(float))
    return float(max(ordered, 0.5 + abs(is_known - 0.5)))


def _auc_of_groups(cells: list[Cell], labels: np.ndarray) -> float:
    groups = np.unique([text_of(cell) for cell in cells], return_inverse=True)[1]
    halves = np.random.default_rng(0).integers(0, 2, len(labels))
    shares = np.empty(len(labels))
    for half in (0, 1):
        other = halves != half
        overall = labels[other].mean() if other.any() else 0.5
        counts = np.bincount(groups[other], minlength=groups.max() + 1)
        hits = np.bincount(groups[other], labels[other], minlength=groups.max() + 1)
        smoothed = (hits + SMOOTHING * overall) / (counts + SMOOTHING)
        shares[~other] = smoothed[groups[~other]]
    return auc(labels, shares)


def _share_of_one_outcome(cells: list[Cell], labels: np.ndarray) -> float:
    """Of the rows where the field is filled, the share of their more frequent outcome.

    0 where that says nothing: hardly filled, filled everywhere, or so are all rows.
    """
    filled = np.array([bool(text_of(cell)) for cell in cells])
    if filled.sum() < FEWEST_FILLED or (~filled).sum() < FEWEST_FILLED:
        return 0.0
    inside, outside = labels[filled].mean(), labels[~filled].mean()
    share = max(inside, 1 - inside)
    usual = max(outside, 1 - outside) if round(inside) == round(outside) else 0.0
    return float(share) if share - usual > 0.1 else 0.0
