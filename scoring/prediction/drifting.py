"""Whether the world still looks as it did at training, and whether the predictions come true.

Inputs: leads that reached their instant after the training, against the rows that were learned
from (population stability index per field). Calibration: leads whose horizon ended after the
training, predicted from what was known at their instants, against what became of them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import structlog
from django.db import transaction
from django.utils.timezone import now

from scoring.models import Training
from scoring.prediction import instants, snapshots
from scoring.prediction.foretelling import predictor_of
from scoring.prediction.learning import distributions
from scoring.prediction.lessons import allow_time
from scoring.prediction.metrics import stability_index
from scoring.prediction.predictor import Predictor
from scoring.prediction.tables import Table

log = structlog.get_logger(__name__)

EVERY = timedelta(days=1)
FEWEST_ROWS = 100
FEWEST_RIPE = 50
MOST_STABILITY_INDEX = 0.25
# Standard deviations that the number of outcomes may be away from what was said.
MOST_DEVIATIONS = 3.0


def check_when_due(training_id: int) -> bool:
    """Once a day; says whether it was checked."""
    with transaction.atomic():
        allow_time()
        rows = Training.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
        training = rows.filter(pk=training_id).first()
        if training is None or not _is_due(training):
            return False
        training.drift, training.drift_checked_at = measure(training, now()), now()
        training.save(update_fields=["drift", "drift_checked_at"])
    if training.drift["is_drifting"]:
        log.warning("prediction_drifts", training=training.pk)
    return True


def _is_due(training: Training) -> bool:
    return training.drift_checked_at is None or training.drift_checked_at < now() - EVERY


def measure(training: Training, at: datetime) -> dict[str, Any]:
    """{"is_drifting", "inputs": [{"field", "index"}], "rows", "calibration": {…} or None}."""
    predictor = predictor_of(training.pk)
    inputs, rows = _inputs(training, predictor, at)
    calibration = _calibration(training, predictor, at)
    moved = any(one["index"] > MOST_STABILITY_INDEX for one in inputs)
    is_off = calibration is not None and abs(calibration["deviations"]) > MOST_DEVIATIONS
    return {
        "is_drifting": moved or is_off,
        "inputs": inputs,
        "rows": rows,
        "calibration": calibration,
    }


def _inputs(
    training: Training, predictor: Predictor, at: datetime
) -> tuple[list[dict[str, Any]], int]:
    """The stability index of each field, the worst first; none with fewer than FEWEST_ROWS."""
    recent = instants.ripe_leads(training.outcome, timedelta(0), at, since=training.as_of)
    if len(recent) < FEWEST_ROWS:
        return [], len(recent)
    table = _table(training, recent)
    after = distributions(predictor.encoder, predictor.encoder.matrix(table))
    before = training.report["inputs"]
    found = [
        {
            "field": name,
            "index": round(stability_index(np.array(before[name]), np.array(counts)), 4),
        }
        for name, counts in after.items()
    ]
    return sorted(found, key=lambda one: (-one["index"], one["field"])), len(recent)


def _calibration(training: Training, predictor: Predictor, at: datetime) -> dict[str, Any] | None:
    """What was said of newly ripened leads, and what came; None with fewer than FEWEST_RIPE."""
    horizon = timedelta(days=training.horizon_days)
    ripe = instants.ripe_leads(training.outcome, horizon, at, since=training.as_of - horizon)
    if len(ripe) < FEWEST_RIPE:
        return None
    table = _table(training, ripe)
    chances, labels = predictor.probabilities(table), np.array(table.labels)
    spread = float(np.sqrt((chances * (1 - chances)).sum()))
    return {
        "rows": len(ripe),
        "said": float(chances.mean()),
        "came": float(labels.mean()),
        "deviations": float((labels.sum() - chances.sum()) / spread),
    }


def _table(training: Training, leads: list[instants.Ripe]) -> Table:
    spec = snapshots.Spec.from_json(training.report["spec"])
    columns = snapshots.read(instants.instants_of(leads), spec)
    return Table(columns, [one.label for one in leads], [one.instant.timestamp() for one in leads])
