"""Celery shells. Each finds its own work in PostgreSQL, so twice, late or never harms nothing."""

from __future__ import annotations

import structlog
from celery import shared_task

from scoring import (
    account_scores,
    account_verifying,
    backtesting,
    dictionaries,
    publishing,
    verifying,
)
from scoring import rescore as rescoring
from scoring.prediction import predicting, training

log = structlog.get_logger(__name__)


@shared_task
def rescore() -> None:
    """Fold the leads that were touched."""
    while rescoring.drain():
        pass


@shared_task
def publish() -> None:
    """Take publications on until none is left."""
    while publishing.drain():
        pass


@shared_task
def back_test() -> None:
    """Make the back-tests that were asked for."""
    while backtesting.drain():
        pass


@shared_task
def refresh() -> None:
    """Let points decay and move on who became ready."""
    rescoring.refresh()
    account_scores.refresh()


@shared_task
def train() -> None:
    """Do the trainings that wait, then predict with what came of them."""
    while training.drain(is_hinted=True):
        pass
    predict()


@shared_task
def predict() -> None:
    """Predict all open leads, when that is due."""
    while predicting.sweep_some():
        pass


@shared_task
def verify() -> None:
    """Check the books every night; what does not balance goes to the log as an error."""
    for discrepancy in verifying.verify():
        log.error("books_do_not_balance", discrepancy=str(discrepancy))
    for account in account_verifying.verify():
        log.error("books_do_not_balance", discrepancy=str(account))


@shared_task
def keep_up_mail_domains() -> None:
    """After an upgrade: the lists of free and throw-away mail that came with it."""
    dictionaries.keep_up_mail_domains()
