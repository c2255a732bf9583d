"""Celery shells around the functions that the relay calls, too."""

from __future__ import annotations

from celery import shared_task

from tracking import attaching, jobs
from tracking.verdicts import running


@shared_task
def attach_events() -> None:
    """Attach waiting events until none is left."""
    while attaching.drain():
        pass


@shared_task
def judge_again() -> None:
    """Go through stored events whose verdict may have changed, until all are done."""
    while running.drain():
        pass


@shared_task
def run_jobs() -> None:
    """Run the scheduled jobs whose time has come; the relay asks, too."""
    jobs.run_due()
