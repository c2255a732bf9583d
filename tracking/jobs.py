"""Scheduled jobs: any number of relays, workers and beats may ask; each slot runs once.

A slot is a multiple of the job's interval. Inserting UNIQUE(job, slot) claims it, so it
does not matter who asks or how often; slots that nobody was there for are left out, because
a job does all that is due. Jobs work in small portions, each a transaction of its own: a
process that dies loses one portion, and another takes the run over when the lease ends.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

from django.db import connection

from tracking import debugger, retention

log = logging.getLogger(__name__)

LEASE_SECONDS = 60
MOST_ATTEMPTS = 5
LOOK_SECONDS = 5.0  # how often a process asks whether something is due


class Job(NamedTuple):
    """`portion()` does a little and says how many rows it touched; 0: nothing is left."""

    name: str
    every_seconds: int
    portion: Callable[[], int]


JOBS = (
    Job("retention", 86_400, retention.mark),
    Job("purge", 60, retention.purge),
    Job("visitors", 86_400, retention.forget_visitors),
    Job("debugger", 600, debugger.trim),
    Job("old_runs", 86_400, lambda: drop_old_runs()),
)

_looked_at = float("-inf")

_CLAIM = """
INSERT INTO tracking_jobrun AS run (job, slot, lease_until)
SELECT %(job)s, date_bin(make_interval(secs => %(every)s), now(), 'epoch'),
       now() + make_interval(secs => %(lease)s)
 WHERE NOT EXISTS (SELECT 1 FROM tracking_jobrun WHERE job = %(job)s AND finished_at IS NULL
                      AND lease_until > now())
ON CONFLICT (job, slot) DO UPDATE
   SET lease_until = excluded.lease_until, attempts = run.attempts + 1
 WHERE run.finished_at IS NULL AND run.lease_until <= now() AND run.attempts < %(most)s
RETURNING id
"""
_GO_ON = """
UPDATE tracking_jobrun SET done = done + %(done)s,
       lease_until = now() + make_interval(secs => %(lease)s),
       finished_at = CASE WHEN %(is_over)s THEN now() END
 WHERE id = %(run)s AND finished_at IS NULL RETURNING id
"""


def run_due(limit: int = 1) -> int:
    """Run whatever is due, to its end; returns how many jobs ran. For relay and beat."""
    global _looked_at
    if time.monotonic() - _looked_at < LOOK_SECONDS:
        return 0
    _looked_at = time.monotonic()
    return sum(run(job) for job in JOBS)


def run(job: Job) -> bool:
    """Run this job if its slot is still free; says whether it ran.

    An error ends the run until its lease is over, and MOST_ATTEMPTS of them for good.
    """
    run_id = _one(_CLAIM, {"job": job.name, "every": job.every_seconds, **_LIMITS})
    if run_id is None:
        return False
    is_mine = True
    while is_mine:
        done = job.portion()
        is_mine = (
            _one(_GO_ON, {"run": run_id, "done": done, "is_over": done == 0, **_LIMITS}) is not None
            and done > 0
        )
    log.info("The job %s is done.", job.name)
    return True


def drop_old_runs() -> int:
    """Forget runs of more than 90 days ago, and of frequent jobs of more than 2 days ago."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM tracking_jobrun WHERE finished_at < now() - CASE
              WHEN job IN ('purge', 'debugger') AND done = 0 THEN interval '2 days'
              ELSE interval '90 days' END
            """
        )
        return cursor.rowcount


_LIMITS = {"lease": LEASE_SECONDS, "most": MOST_ATTEMPTS}


def _one(query: str, parameters: dict) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        row = cursor.fetchone()
    return row[0] if row else None
