"""A trained model: reads cells, answers with probabilities and with what moved them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoring.prediction import estimators
from scoring.prediction.calibrating import Calibration
from scoring.prediction.encoding import Encoder, text_of
from scoring.prediction.tables import Table

MOST_REASONS = 5
# Less than this in log-odds (about one hundredth of the probability) moves nobody.
LEAST_EFFECT = 0.05


@dataclass(frozen=True)
class Predictor:
    encoder: Encoder
    estimator: estimators.Estimator
    calibration: Calibration

    def probabilities(self, table: Table) -> np.ndarray:
        """Shape (rows,), each within 0.01 … 0.99."""
        return self.of_matrix(self.encoder.matrix(table))

    def of_matrix(self, matrix: np.ndarray) -> np.ndarray:
        return self.calibration.probabilities(self.estimator.log_odds(matrix))

    def reasons(self, table: Table) -> list[list[dict[str, Any]]]:
        """Per row the fields that moved it most, against the average training row.

        [{"field": name, "value": text or "" when not known, "effect": log-odds}, …]
        """
        encoder = self.encoder
        parts = self.estimator.parts(encoder.matrix(table), encoder.owners, len(encoder.fields))
        parts = parts * self.calibration.slope
        cells = [table.columns[one.name] for one in encoder.fields]
        return [self._reasons_of(row, parts[row], cells) for row in range(len(table))]

    def _reasons_of(self, row: int, parts: np.ndarray, cells: Sequence) -> list[dict[str, Any]]:
        first = np.argsort(-np.abs(parts), kind="stable")[:MOST_REASONS]
        return [
            {
                "field": self.encoder.fields[place].name,
                "value": text_of(cells[place][row])[:100],
                "effect": round(float(parts[place]), 3),
            }
            for place in first
            if abs(parts[place]) >= LEAST_EFFECT
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "encoder": self.encoder.as_json(),
            "estimator": self.estimator.as_json(),
            "calibration": self.calibration.as_json(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Predictor:
        return cls(
            Encoder.from_json(data["encoder"]),
            estimators.from_json(data["estimator"]),
            Calibration(**data["calibration"]),
        )
