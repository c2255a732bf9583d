"""Celery shells. The work is found in PostgreSQL, so twice, late or never harms nothing."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task

from leads import importing
from leads.imports import working

KEEP_FILES_FOR = timedelta(days=30)


@shared_task
def import_files() -> None:
    """Check and import waiting files, chunk by chunk, until none is left."""
    while working.drain(is_hinted=True):
        pass


@shared_task
def drop_old_files() -> None:
    """Files imported long ago hold personal data that nobody needs any more."""
    importing.drop_old_contents(older_than=KEEP_FILES_FOR)
