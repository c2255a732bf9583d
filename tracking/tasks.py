"""Celery shells around the functions that the relay calls, too."""

from __future__ import annotations

from celery import shared_task

from tracking import attaching


@shared_task
def attach_events() -> None:
    """Attach waiting events until none is left."""
    while attaching.drain():
        pass
