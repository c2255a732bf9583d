"""Ask for a study, and work it off in the background: in a Celery task or in the relay.

One process works on a study at a time: it holds an advisory lock of its session, which
PostgreSQL lets go of when the process dies, whatever way. The next one begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import F
from django.utils.timezone import now

from leads.actors import Actor
from leads.hints import hint
from scoring.study_models import Study

log = structlog.get_logger(__name__)

# Tell how far it is: (done, total).
Report = Callable[[int, int], None]
# "stud", the space of advisory locks in which studies have their number and kind.
_LOCKS = 0x73_74_75_64


def ask(kind: type[Study], task: str, *, by: Actor, **about: Any) -> Study:
    """Have a study made. One that waits or runs is returned; one that stopped may try again."""
    rows = kind._default_manager.select_for_update(no_key=True)
    with transaction.atomic():
        study = rows.filter(finished_at=None, **about).first()
        if study is None:
            study = kind._default_manager.create(requested_by=by.user, **about)
        elif study.is_stopped:
            study.attempts, study.error = 0, ""
            study.save(update_fields=["attempts", "error"])
        transaction.on_commit(partial(hint, task), robust=True)
    return study


def drain(kind: type[Study], perform: Callable[[Any, Report], dict[str, Any]]) -> int:
    """Work off the oldest study of this kind that nobody works on. Returns how many: 0 or 1."""
    rows = kind._default_manager
    waiting = rows.filter(finished_at=None, attempts__lte=kind.MOST_ATTEMPTS)
    for study_id in waiting.order_by("pk").values_list("pk", flat=True):
        with _alone(kind, study_id) as is_mine:
            if is_mine and rows.filter(pk=study_id, finished_at=None).exists():
                return int(_work(kind, study_id, perform))
    return 0


def _work(
    kind: type[Study], study_id: int, perform: Callable[[Any, Report], dict[str, Any]]
) -> bool:
    row = kind._default_manager.filter(pk=study_id)
    row.update(attempts=F("attempts") + 1, done_count=0, total_count=None)
    study = row.first()
    if study is None:  # taken back meanwhile
        return False
    if study.is_stopped:
        row.update(error=study.error or "The process ended each time before it was done.")
        return True
    try:
        result = perform(study, lambda done, total: _note(row, done, total))
    except Exception as error:
        log.exception("study_failed", kind=kind.__name__, study=study_id)
        row.update(error=f"{type(error).__name__}: {error}"[:500])
        return False
    row.update(result=result, finished_at=now(), error="")
    return True


def _note(row: Any, done: int, total: int) -> None:
    row.update(done_count=done, total_count=total)


@contextmanager
def _alone(kind: type[Study], study_id: int) -> Iterator[bool]:
    """Whether this session got the lock of a study; it is held inside."""
    # The two numbers of a lock: the kind's place among all tables, and the study.
    key = (_LOCKS ^ sum(map(ord, kind._meta.db_table)), study_id % 2**31)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
        is_mine = cursor.fetchone()[0]
    try:
        yield is_mine
    finally:
        if is_mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)
