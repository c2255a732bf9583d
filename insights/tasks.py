"""Celery shells. Each finds its own work in PostgreSQL, so twice, late or never harms nothing."""

from __future__ import annotations

from celery import shared_task

from insights.review import making


@shared_task
def review() -> None:
    """Make the reviews of the scoring model that were asked for."""
    while making.drain():
        pass
