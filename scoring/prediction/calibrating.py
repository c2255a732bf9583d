"""From log-odds to probabilities that mean what they say."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

# Nobody's fate is certain.
LEAST, MOST = 0.01, 0.99


@dataclass(frozen=True)
class Calibration:
    """Probability = sigmoid(slope · log-odds + offset), clamped to 0.01 … 0.99 (Platt 1999)."""

    slope: float = 1.0
    offset: float = 0.0

    def probabilities(self, log_odds: np.ndarray) -> np.ndarray:
        raw = self.slope * log_odds + self.offset
        return np.clip(1 / (1 + np.exp(-np.clip(raw, -30, 30))), LEAST, MOST)

    def as_json(self) -> dict[str, float]:
        return asdict(self)


def calibrate(log_odds: np.ndarray, labels: np.ndarray) -> Calibration:
    """Fit slope and offset on rows that the model did not learn from.

    A slope that is not positive would turn the order around: then only the offset is
    moved, and the figures of the hold-out say what the model is worth.
    """
    # Who only predicts needs no scikit-learn.
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(labels)) < 2:
        return Calibration()
    fitted = LogisticRegression(C=1.0).fit(log_odds[:, None], labels)
    slope, offset = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    if slope <= 0:
        share = float(labels.mean())
        return Calibration(slope=0.05, offset=float(np.log(share / (1 - share))))
    return Calibration(slope, offset)
