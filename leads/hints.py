"""Tell a Celery worker that there is work. Best effort: the relay finds it without a hint.

A broker that hangs costs a publisher seconds, whatever its time-outs are set to.
So a thread of its own talks to it: who has work to announce never waits, and a
hundred hints for one task while it is busy become one.
"""

from __future__ import annotations

import os
import queue
import threading
import time

import structlog
from celery import current_app

log = structlog.get_logger(__name__)

# After a failure the broker is left alone for so long.
SILENCE_SECONDS = 5.0
_names: queue.SimpleQueue[str] = queue.SimpleQueue()
_waiting: set[str] = set()
_talker: threading.Thread | None = None
# A forked process has no talker, and must not take its parent's hints for its own.
os.register_at_fork(after_in_child=_waiting.clear)


def hint(task: str) -> None:
    """Have a worker asked to run `task` soon. Returns at once and never raises."""
    global _talker
    if task not in _waiting:
        _waiting.add(task)
        _names.put(task)
    if _talker is None or not _talker.is_alive():
        _talker = threading.Thread(target=_talk, name="hints", daemon=True)
        _talker.start()


def _talk() -> None:
    while True:
        task = _names.get()
        _waiting.discard(task)
        if not send(task):
            time.sleep(SILENCE_SECONDS)


def send(task: str) -> bool:
    """Ask the broker itself; returns whether it took the message."""
    try:
        current_app.send_task(task, retry=False, ignore_result=True, expires=60)
    except Exception as error:  # whatever a broker may do, the work is committed
        log.warning("broker_does_not_answer", task=task, error=str(error))
        return False
    return True
