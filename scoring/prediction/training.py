"""Trainings: found in the database, claimed for a lease, done, and written down.

A killed process loses its lease, and another one begins the same training anew with
the same data window. Its progress is committed as it goes. Five failures in a row stop it,
with the error, until somebody lets it begin again.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from leads.refusals import Refused
from scoring.models import Training

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=180)  # longer than any one step
# How long the relay leaves new work to a worker that got a hint.
HEAD_START = timedelta(seconds=10)


class LeaseLost(Exception):
    """Another process has taken the training over."""


def drain(limit: int = 1, *, is_hinted: bool = False) -> int:
    """Do the oldest training that waits, from the beginning; returns how many were taken up."""
    training = _claim(is_hinted)
    if training is None:
        return 0
    try:
        # Only who trains needs numpy and scikit-learn.
        from scoring.prediction import lessons

        lessons.give(training, lambda done, step: note(training, done, step))
    except LeaseLost:
        log.warning("training_lease_lost", training=training.pk)
    except Refused as refusal:
        _give_up(training, str(refusal))
    except Exception as error:
        log.exception("training_failed", training=training.pk, attempts=training.attempts)
        _back_off(training, f"{type(error).__name__}: {error}")
    return 1


@transaction.atomic
def _claim(is_hinted: bool) -> Training | None:
    """Lease the oldest waiting training to this call; the attempt is committed before the work."""
    free = Q(leased_until__lt=Now())
    fresh = Q(leased_until=None)
    if not is_hinted:
        fresh &= Q(requested_at__lt=Now() - HEAD_START)
    rows = Training.objects.waiting().filter(free | fresh).defer("model").order_by("pk")
    training = rows.select_for_update(no_key=True, skip_locked=True, of=("self",)).first()
    if training is None:
        return None
    if training.attempts >= Training.MOST_ATTEMPTS:
        training.state, training.worker = Training.State.STOPPED, ""
        training.save(update_fields=["state", "worker"])
        return None
    training.attempts += 1
    training.worker, training.leased_until = uuid.uuid4().hex, Now() + LEASE
    training.state, training.step, training.done = Training.State.RUNNING, "", 0.0
    training.save(update_fields=["attempts", "worker", "leased_until", "state", "step", "done"])
    return training


def _mine(training: Training):
    return Training.objects.filter(
        pk=training.pk, worker=training.worker, state=Training.State.RUNNING
    )


def note(training: Training, done: float, step: str) -> None:
    """Commit how far it is and hold the lease. Raises LeaseLost when another process has it."""
    if not _mine(training).update(done=done, step=step, leased_until=Now() + LEASE):
        raise LeaseLost


def finish(training: Training, *, verdict: str, report: dict, model: dict) -> None:
    """Write down what came of it, once. Raises LeaseLost when another process has it."""
    written = _mine(training).update(
        state=Training.State.FINISHED,
        finished_at=Now(),
        verdict=verdict,
        report=report,
        model=model,
        done=1.0,
        error="",
        worker="",
        leased_until=None,
    )
    if not written:
        raise LeaseLost
    log.info("training_finished", training=training.pk, verdict=verdict)


def _back_off(training: Training, error: str) -> None:
    """Give it back for a while that grows with each attempt."""
    _mine(training).update(
        error=error[:500],
        worker="",
        leased_until=Now() + timedelta(seconds=2**training.attempts),
    )


def _give_up(training: Training, sentence: str) -> None:
    """Trying again would be refused again."""
    _mine(training).update(state=Training.State.STOPPED, error=sentence[:500], worker="")
