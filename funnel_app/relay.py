"""The relay: works off everything that waits in PostgreSQL, with or without Redis.

Whoever causes work writes a work row in the same commit; each drain below takes some of
its rows, does them, and says how many it took. Celery tasks call the same functions, so
a lost hint costs a moment at most. Any number of relays may run at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import NamedTuple

from django.db import connections

from insights import folding as rollups
from insights.review import making as reviews
from insights.traffic import folding as traffic
from leads import duplicates
from leads.imports import working as imports
from sales import handoff
from scoring import account_scores, backtesting, publishing, rescore, rewording
from scoring.prediction import predicting
from tracking import attaching, jobs, reclassifying, visiting
from tracking.verdicts import checking, running

log = logging.getLogger(__name__)

# How soon new work is found: what prospects do soon, for rows pour in; what people ask for a
# little later, for their click has a worker told already, and most of the time nobody asks.
IDLE_SECONDS = 0.3
IDLE_SECONDS_OF_ORDERS = 1.0
LONGEST_BACK_OFF = 5.0  # seconds between attempts while the database is away


class Drain(NamedTuple):
    """`take(limit)` does up to `limit` pieces of waiting work and returns how many it took.

    When it found nothing, it is asked again after `idle_seconds`.
    """

    name: str
    take: Callable[[int], int]
    limit: int
    idle_seconds: float = IDLE_SECONDS_OF_ORDERS


DRAINS = [
    Drain("events", attaching.drain, 1000, IDLE_SECONDS),
    Drain("visits", visiting.drain, 1000, IDLE_SECONDS),
    Drain("channels", reclassifying.drain, 2000),
    Drain("clicks", checking.drain, 200, IDLE_SECONDS),
    Drain("verdicts", running.drain, 1),
    Drain("scores", rescore.drain_for_relay, rescore.BATCH, IDLE_SECONDS),
    Drain("account scores", account_scores.drain, account_scores.BATCH),
    Drain("publications", publishing.drain, 1),
    Drain("words", rewording.drain, 1),
    Drain("back-tests", backtesting.drain, 1),
    Drain("reviews", reviews.drain, 1),
    Drain("predictions", predicting.drain, 1),
    Drain("imports", imports.drain, imports.CHUNK),
    Drain("hand-offs", handoff.open_missing, 100, IDLE_SECONDS),
    Drain("duplicates", duplicates.drain, 1),
    Drain("roll-ups", rollups.drain, 1000),
    Drain("traffic", traffic.drain, 1000),
    Drain("jobs", jobs.run_due, 1),
]


def run(stop: threading.Event, drains: list[Drain] = DRAINS) -> None:
    """Drain until told to stop, each in a thread: a long import holds up no event.

    Returns between two batches. Raises RuntimeError when a drain ended by itself.
    """
    threads = [
        threading.Thread(target=keep_draining, args=(drain, stop), name=drain.name)
        for drain in drains
    ]
    for thread in threads:
        thread.start()
    while not stop.wait(1.0):
        ended = [thread.name for thread in threads if not thread.is_alive()]
        if ended:
            stop.set()
            raise RuntimeError(f"The drain of {', '.join(ended)} ended.")
    for thread in threads:
        thread.join()


def keep_draining(drain: Drain, stop: threading.Event) -> None:
    """Take work as long as there is some, then look again every `idle_seconds`."""
    back_off = 0.0
    while not stop.is_set():
        try:
            taken = drain.take(drain.limit)
            back_off = 0.0
        except Exception as error:
            taken = 0
            back_off = min(back_off * 2 or drain.idle_seconds, LONGEST_BACK_OFF)
            log.warning("Draining %s failed: %s", drain.name, error, exc_info=not is_away(error))
            connections.close_all()
        if not taken:
            stop.wait(back_off or drain.idle_seconds)
    connections.close_all()


def is_away(error: Exception) -> bool:
    """Whether the database does not answer: no news worth a traceback."""
    return attaching.is_passing(error)
