"""The long work on files: checks and imports, a chunk of rows per transaction.

A process claims an import for a short lease and keeps its place in the file in
memory. The truth is in the database: rows, counts and the place are committed
together, so after a kill another process goes on with the first row that is not done.
"""

from __future__ import annotations

import json
import os
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

import structlog
from django.db import OperationalError, connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from leads import importing
from leads.import_models import Import
from leads.imports import reading, targets
from leads.imports.interpret import Interpreter, Record
from leads.imports.notes import Level, Note
from leads.imports.reading import Dialect, Row
from leads.imports.targets import Context, Outcome, Planner, RowPlan

log = structlog.get_logger(__name__)

CHUNK = 500
LEASE = timedelta(seconds=20)
MOST_ATTEMPTS = 5
# Writing a chunk may take longer than a page is allowed to.
STATEMENT_TIMEOUT = "60s"
COPY_ROWS = """
COPY leads_importrow (owner_id, is_check, number, line, outcome, object_id, notes) FROM STDIN
"""

_TOKEN = uuid.uuid4().hex[:20]


def drain(limit: int = CHUNK, *, is_hinted: bool = False) -> int:
    """Do one chunk of one waiting import; returns how many rows were done.

    `is_hinted`: at once, without leaving new work to a worker that got the hint.
    """
    job = _claim(is_hinted)
    if job is None:
        return 0
    try:
        return _do_chunk(job, limit)
    except Exception:
        log.exception("import_chunk_failed", import_id=job.pk, done=job.done_count)
        _sessions.clear()
        _back_off(job)
        return 0


@dataclass
class Session:
    """This process's place in one file. In a check the planner remembers all rows so far."""

    job: Import
    rows: Iterator[Row]
    interpreter: Interpreter
    position: int
    checker: Planner | None

    def is_at(self, job: Import) -> bool:
        same_work = (self.job.state, self.job.mapping) == (job.state, job.mapping)
        return same_work and self.position == job.done_count

    def take(self, count: int) -> list[Record]:
        rows = list(islice(self.rows, count))
        self.position += len(rows)
        return [self.interpreter.read(row) for row in rows]


# One per process: a file of 20 MB is read once, not once per chunk.
_sessions: dict[int, Session] = {}


def _me() -> str:
    return f"{_TOKEN}-{os.getpid()}"[:36]


@transaction.atomic
def _claim(is_hinted: bool) -> Import | None:
    """Lease one import to this process; the attempt is committed before the work."""
    free = Q(worker=_me()) | Q(leased_until=None) | Q(leased_until__lt=Now())
    if is_hinted:
        free |= Q(worker="")
    jobs = Import.objects.working().filter(free).order_by("id")
    job = jobs.select_for_update(no_key=True, skip_locked=True).first()
    if job is None:
        return None
    if job.attempts >= MOST_ATTEMPTS:
        job.stuck_in, job.state, job.worker = job.state, Import.State.STUCK, ""
        job.save(update_fields=["stuck_in", "state", "worker"])
        return None
    job.attempts, job.worker, job.leased_until = job.attempts + 1, _me(), Now() + LEASE
    job.save(update_fields=["attempts", "worker", "leased_until"])
    return job


@transaction.atomic
def _do_chunk(claimed: Import, limit: int) -> int:
    _allow_time()
    jobs = Import.objects.filter(pk=claimed.pk, state=claimed.state, worker=_me())
    job = jobs.select_for_update(no_key=True).select_related("created_by").first()
    if job is None:
        return 0
    session = _session_for(job)
    records = session.take(limit)
    is_check = job.state == Import.State.CHECKING
    if is_check:
        assert session.checker is not None
        plans = session.checker.plan(records)
    else:
        plans = _import(job, records)
    _write_down(job, plans)
    if not is_check and any(plan.outcome == Outcome.CREATED for plan in plans):
        _keep_plans_fresh(job.done_count, len(records))
    return max(len(records), 1)


def _session_for(job: Import) -> Session:
    """This process's session if it stands where the database does, else a new one."""
    session = _sessions.get(job.pk)
    if session is None or not session.is_at(job):
        _sessions.clear()
        session = _sessions[job.pk] = _open(job)
    return session


def _open(job: Import) -> Session:
    is_check = job.state == Import.State.CHECKING
    if is_check and job.done_count:
        # What the other process had planned is lost with it: check from the beginning.
        job.rows.filter(is_check=True).delete()
        job.done_count, job.check_tally = 0, {}
    names = tuple(column["name"] for column in job.columns)
    dialect = Dialect(job.encoding, job.delimiter, names, job.row_count, job.footer_count)
    rows = reading.read_rows(bytes(job.content.data), dialect)
    return Session(
        job=job,
        rows=islice(rows, job.done_count, None),
        interpreter=interpreter_of(job),
        position=job.done_count,
        checker=_planner(job) if is_check else None,
    )


def interpreter_of(job: Import) -> Interpreter:
    mapping = importing.mapping_of(job)
    return Interpreter(mapping, importing.columns_of(job), importing.fields_of(mapping.target))


def _planner(job: Import) -> Planner:
    mapping = importing.mapping_of(job)
    context = Context(
        mapping=mapping,
        by=importing.actor_of(job),
        now=job.began_at or now(),
        label=job.file_name,
        cause=f"import-{job.pk}",
        is_check=job.state == Import.State.CHECKING,
    )
    return targets.get(mapping.target).planner(context)


def _import(job: Import, records: Sequence[Record]) -> list[RowPlan]:
    """Plan and write a chunk; row by row if that fails, so that a bad row costs only itself."""
    try:
        return _plan_and_apply(job, records)
    except OperationalError:
        raise  # a lock or the connection, not the rows: the chunk is tried again
    except Exception:
        log.exception("import_chunk_row_by_row", import_id=job.pk, first=records[0].number)
        return [_import_one(job, record) for record in records]


def _import_one(job: Import, record: Record) -> RowPlan:
    try:
        return _plan_and_apply(job, [record])[0]
    except OperationalError:
        raise
    except Exception:
        log.exception("import_row_not_stored", import_id=job.pk, row=record.number)
        note = Note("not_stored")
        return RowPlan(record.number, record.line, Outcome.FAILED, [*record.notes, note])


@transaction.atomic
def _plan_and_apply(job: Import, records: Sequence[Record]) -> list[RowPlan]:
    planner = _planner(job)
    plans = planner.plan(records)
    planner.apply()
    return plans


def _write_down(job: Import, plans: Sequence[RowPlan]) -> None:
    """The rows, the counts and the place, in the transaction of the work itself."""
    is_check = job.state == Import.State.CHECKING
    _keep_rows(job, plans, is_check)
    tally = add_up(plans, job.check_tally if is_check else job.run_tally)
    if is_check:
        job.check_tally = tally
    else:
        job.run_tally = tally
    job.done_count += len(plans)
    job.attempts, job.leased_until = 0, Now() + LEASE
    if job.done_count >= job.row_count or not plans:
        _finish(job)
    job.save()


def _keep_rows(job: Import, plans: Iterable[RowPlan], is_check: bool) -> None:
    """What became of each row; of a check, only what there is to say about it."""
    with connection.cursor() as cursor, cursor.copy(COPY_ROWS) as copy:
        for plan in plans:
            notes = [note for note in plan.notes if not is_check or note.level != Level.INFO]
            if notes or not is_check:
                subject = plan.subject.pk if plan.subject is not None else None
                told = json.dumps([note.as_json() for note in notes])
                row = (job.pk, is_check, plan.number, plan.line, plan.outcome, subject, told)
                copy.write_row(row)


def add_up(plans: Iterable[RowPlan], tally: dict) -> dict:
    """`tally` with these rows added. A code counts once per row."""
    counts = Counter({key: n for key, n in tally.items() if key != "notes"})
    codes = Counter(tally.get("notes", {}))
    for plan in plans:
        counts[plan.outcome] += 1
        counts["warned"] += plan.is_warned and not plan.is_failed
        codes.update({note.code for note in plan.notes})
    return {**counts, "notes": dict(codes)}


def _finish(job: Import) -> None:
    if job.state == Import.State.CHECKING:
        job.state = Import.State.CHECKED
    else:
        job.state, job.ended_at = Import.State.FINISHED, Now()
    job.worker, job.leased_until = "", None
    _sessions.pop(job.pk, None)


def _back_off(job: Import) -> None:
    """Give the import back for a while that grows with each attempt."""
    pause = timedelta(seconds=2**job.attempts)
    Import.objects.filter(pk=job.pk, worker=_me()).update(
        worker="waiting", leased_until=Now() + pause
    )


def _keep_plans_fresh(done: int, chunk: int) -> None:
    """Analyse the tables that have just grown, at row 500, 2000, 8000, …

    The plans of triggers and foreign keys are cached for the connection. Made while a
    table was nearly empty, they read all of it for each row until statistics change.
    """
    if any(done - chunk < CHUNK * 4**power <= done for power in range(5)):
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE leads_lead, leads_stageepisode, leads_externalid")


def _allow_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [STATEMENT_TIMEOUT])
