"""How good probabilities are on rows that the model has not seen. Arrays of shape (rows,)."""

from __future__ import annotations

import numpy as np

BINS = 10
RESAMPLES = 500
CONFIDENCE = 0.95
TINY = 1e-4


def auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Share of (positive, negative) pairs in the right order, ties half (Mann-Whitney).

    NaN when there is only one class.
    """
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return float("nan")
    _values, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    above = ranks[labels == 1].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def auc_interval(labels: np.ndarray, scores: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Percentile bootstrap of the AUC (Efron 1979), positives and negatives drawn apart."""
    chance = np.random.default_rng(seed)
    positives, negatives = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    if not len(positives) or not len(negatives):
        return float("nan"), float("nan")
    found = []
    for _each in range(RESAMPLES):
        drawn = np.concatenate(
            [chance.choice(positives, len(positives)), chance.choice(negatives, len(negatives))]
        )
        found.append(auc(labels[drawn], scores[drawn]))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(found, [tail, 1 - tail])
    return float(low), float(high)


def reliability(labels: np.ndarray, scores: np.ndarray) -> list[dict[str, float]]:
    """Ten equally wide bins of predicted probability: how many rows, said, and came true."""
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    found = []
    for place in range(BINS):
        inside = bins == place
        if inside.any():
            found.append(
                {
                    "count": int(inside.sum()),
                    "said": float(scores[inside].mean()),
                    "came": float(labels[inside].mean()),
                }
            )
    return found


def expected_calibration_error(labels: np.ndarray, scores: np.ndarray) -> float:
    """ECE (Naeini 2015): mean |said - came| over the bins, weighted by rows."""
    bins = reliability(labels, scores)
    return sum(b["count"] * abs(b["said"] - b["came"]) for b in bins) / max(len(labels), 1)


def brier(labels: np.ndarray, scores: np.ndarray) -> float:
    """Mean squared distance of probability and outcome (Brier 1950)."""
    return float(((scores - labels) ** 2).mean())


def lift_at(labels: np.ndarray, scores: np.ndarray, share: float = 0.1) -> float:
    """How many times more outcomes the best share of rows has than the average row.

    Rows that tie at the border count in part, so their order does not matter.
    """
    if not labels.any():
        return float("nan")
    wanted = max(1, round(len(labels) * share))
    border = np.sort(scores)[-wanted]
    above, ties = scores > border, scores == border
    part = (wanted - above.sum()) / ties.sum()
    hits = labels[above].sum() + part * labels[ties].sum()
    return float(hits / wanted / labels.mean())


def stability_index(before: np.ndarray, after: np.ndarray) -> float:
    """Population stability index of two shares over the same groups: Σ (a - b) · ln(a / b).

    Below 0.1 nothing moved, above 0.25 it moved a lot (Siddiqi 2006).
    """
    b = np.maximum(before / max(before.sum(), 1), TINY)
    a = np.maximum(after / max(after.sum(), 1), TINY)
    return float(((a - b) * np.log(a / b)).sum())


def figures(labels: np.ndarray, scores: np.ndarray) -> dict:
    """All figures of a hold-out, for JSON; what cannot be said is None."""
    low, high = auc_interval(labels, scores)
    found = {
        "auc": auc(labels, scores),
        "auc_low": low,
        "auc_high": high,
        "ece": expected_calibration_error(labels, scores),
        "brier": brier(labels, scores),
        "lift": lift_at(labels, scores),
        "share": float(labels.mean()),
    }
    said = {name: None if np.isnan(value) else value for name, value in found.items()}
    return {**said, "count": len(labels), "reliability": reliability(labels, scores)}
