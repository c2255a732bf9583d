"""Tell a Celery worker that there is work. Best effort: the relay finds it without a hint."""

from __future__ import annotations

import time

import structlog
from celery import current_app

log = structlog.get_logger(__name__)

# After a failure nobody waits for the broker again before this many seconds.
SILENCE_SECONDS = 5.0
_silent_until = 0.0


def hint(task: str) -> bool:
    """Ask a worker to run `task` now. Never raises; returns whether the broker took it."""
    global _silent_until
    if time.monotonic() < _silent_until:
        return False
    try:
        current_app.send_task(task, retry=False, ignore_result=True, expires=60)
    except Exception as error:  # whatever a broker may do, the caller's work is committed
        _silent_until = time.monotonic() + SILENCE_SECONDS
        log.warning("broker_does_not_answer", task=task, error=str(error))
        return False
    return True
