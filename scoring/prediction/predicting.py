"""Predictions of all open leads, written in sweeps, a batch of leads per transaction.

A sweep's place is committed with its predictions, so a killed one goes on where it
was. What a colleague has overridden is in a table of its own that no sweep touches.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from scoring.models import Prediction, Training
from scoring.prediction import training as trainings

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)
BATCH = 1_000


def drain(limit: int = 1) -> int:
    """For the relay: a training that no worker took, or the next batch of a sweep that is due."""
    return trainings.drain(limit) or sweep_some()


def sweep_some() -> int:
    """Predict the next leads, when a sweep is due; returns how many pieces of work were done."""
    with transaction.atomic():
        training = _due()
        if training is None:
            return 0
        if training.sweep_began_at is None:
            _begin(training)
        began = training.sweep_began_at
        assert began is not None
        lead_ids = _next_leads(training)
        if lead_ids:
            # Only who predicts needs numpy.
            from scoring.prediction import foretelling

            foretelling.predict(training, lead_ids, now())
            training.swept_to_lead_id = lead_ids[-1]
            training.save(update_fields=["swept_to_lead_id"])
            return 1
        _end(training, began)
    from scoring.prediction import drifting

    drifting.check_when_due(training.pk)
    return 1


def _due() -> Training | None:
    """The governing training, locked, when it is on and its sweep is due or under way."""
    governing = Training.objects.governing()
    if governing is None or not governing.is_on:
        return None
    is_due = Q(sweep_began_at__isnull=False) | Q(swept_at=None) | Q(swept_at__lt=Now() - EVERY)
    rows = Training.objects.filter(is_due, pk=governing.pk)
    return rows.select_for_update(no_key=True, skip_locked=True, of=("self",)).first()


def _begin(training: Training) -> None:
    training.sweep_began_at, training.swept_to_lead_id = now(), 0
    training.save(update_fields=["sweep_began_at", "swept_to_lead_id"])


def _end(training: Training, began: datetime) -> None:
    """What this sweep did not write is of leads that have no outcome ahead any more."""
    Prediction.objects.filter(predicted_at__lt=began).delete()
    training.sweep_began_at, training.swept_at = None, now()
    training.save(update_fields=["sweep_began_at", "swept_at"])
    log.info("predictions_swept", training=training.pk)


def _next_leads(training: Training) -> list[int]:
    from scoring.prediction.instants import open_leads

    return open_leads(training.outcome, training.swept_to_lead_id, BATCH)
