"""The probability of each lead at one instant, and what moved it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from scoring.models import Prediction, Training
from scoring.prediction import snapshots
from scoring.prediction.predictor import Predictor
from scoring.prediction.tables import Table


def predict(training: Training, lead_ids: Sequence[int], instant: datetime) -> None:
    """Write the predictions of these leads, in the transaction of the caller."""
    spec = snapshots.Spec.from_json(training.report["spec"])
    columns = snapshots.read(dict.fromkeys(lead_ids, instant), spec)
    table = Table(columns, labels=[0] * len(lead_ids), order=[0.0] * len(lead_ids))
    predictor = predictor_of(training.pk)
    chances, reasons = predictor.probabilities(table), predictor.reasons(table)
    Prediction.objects.bulk_create(
        (
            Prediction(
                lead_id=lead_id,
                training=training,
                probability=float(chances[place]),
                reasons=reasons[place],
                predicted_at=instant,
            )
            for place, lead_id in enumerate(lead_ids)
        ),
        update_conflicts=True,
        unique_fields=["lead"],
        update_fields=["training", "probability", "reasons", "predicted_at"],
    )


@lru_cache(maxsize=2)
def predictor_of(training_id: int) -> Predictor:
    """A finished training never changes, so its model is read once per process."""
    return Predictor.from_json(Training.objects.values_list("model", flat=True).get(pk=training_id))
