"""Keep the score true: leads that were touched, all leads by the clock, all leads anew.

A touched lead is a DirtyLead row, written in the transaction of its cause.
Celery and the relay both call `drain`; who loses a race finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

import structlog
from django.db import connection, transaction
from django.db.models.functions import Now

from leads.hints import hint
from leads.models import Lead
from leads.standing import replace_standings, settle_standings, write_standings
from scoring import crossing, folding, governing, holding
from scoring.choosing import EVERYBODY, as_array, between, these
from scoring.hits import EVENT_INSTANT
from scoring.models import DirtyLead, FailedLead, LeadFeature, Publication, Signal

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 5
BATCH = 1_000
CHUNK = 5_000
# Of leads that are counted anew together, for all signals or for a few: their folds wait
# meanwhile, but each chunk fetches its events by an index, or reads those of all leads.
LARGE_CHUNK = 50_000
FEW_SIGNALS_CHUNK = 200_000
# Long work raises the limits that web pages live under.
LIMITS = (
    "SET LOCAL statement_timeout = '600s'; SET LOCAL lock_timeout = '30s';"
    "SET LOCAL work_mem = '64MB'"
)
# The relay leaves a moment to the workers.
RELAY_WAITS = timedelta(seconds=0.5)


class Claim(NamedTuple):
    """A DirtyLead row whose attempt is committed."""

    row_id: int
    lead_id: int
    attempts: int


def enqueue(lead_ids: Iterable[int]) -> None:
    """Have these leads folded soon. Part of the caller's transaction."""
    if touched := sorted(set(lead_ids)):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO scoring_dirtylead (lead_id) SELECT unnest(%s::bigint[])", [touched]
            )
        transaction.on_commit(partial(hint, "scoring.tasks.rescore"), robust=True)


def enqueue_events(event_ids: Sequence[int]) -> set[int]:
    """Have the leads folded soon that these events, new to them, belong to; returns their ids.

    Part of the caller's transaction. A lead that also lost an event, or anything else, is to
    be enqueued for that as well.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO scoring_dirtylead (lead_id, since)
            SELECT e.lead_id, min({EVENT_INSTANT}) FROM tracking_event e
             WHERE e.id = ANY(%s::bigint[]) AND e.lead_id IS NOT NULL
             GROUP BY e.lead_id ORDER BY e.lead_id
            RETURNING lead_id
            """,
            [as_array(event_ids)],
        )
        touched = {row[0] for row in cursor.fetchall()}
    if touched:
        transaction.on_commit(partial(hint, "scoring.tasks.rescore"), robust=True)
    return touched


def drain(limit: int = BATCH, waited: timedelta = timedelta(0)) -> int:
    """Fold a batch of touched leads that have `waited` so long. Returns how many rows it took.

    A batch that fails is tried again lead by lead, so that one poisoned lead
    cannot hold up the others; after five attempts it is put aside.
    """
    claims = _claim("attempts > 0", 1, timedelta(0)) or _claim("attempts = 0", limit, waited)
    worn_out = [claim for claim in claims if claim.attempts > MOST_ATTEMPTS]
    if worn_out:
        _put_aside(worn_out, "The process ended each time while it scored this lead.")
        return len(claims)
    try:
        _work(claims)
    except Exception as error:
        log.warning("scoring_failed", leads=len(claims), error=str(error))
        _remember(claims, f"{type(error).__name__}: {error}")
    return len(claims)


def drain_for_relay(limit: int = BATCH) -> int:
    """What no worker has taken up within half a second."""
    return drain(limit, RELAY_WAITS)


def _claim(which: str, limit: int, waited: timedelta) -> list[Claim]:
    """Commit one more attempt for some rows that nobody works on.

    Chosen beside the UPDATE and taken over as an array: within its condition a LIMIT may be
    asked for each row, and a join relies on statistics, which for a queue are of an empty one.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH next AS (
              SELECT id FROM scoring_dirtylead
               WHERE {which} AND queued_at <= clock_timestamp() - make_interval(secs => %(waited)s)
               ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
            UPDATE scoring_dirtylead d SET attempts = d.attempts + 1
             WHERE d.id = ANY(ARRAY(SELECT id FROM next)) RETURNING d.id, d.lead_id, d.attempts
            """,
            {"waited": waited.total_seconds(), "limit": limit},
        )
        return [Claim(*row) for row in cursor.fetchall()]


@transaction.atomic
def _work(claims: Sequence[Claim]) -> None:
    """Fold, score, move on and forget the work rows in one commit."""
    if not claims:
        return
    set_limits()
    taken, touched = _take_along(claims)
    crossing.promote(folding.fold(touched))
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM scoring_failedlead WHERE lead_id = ANY(%s::bigint[])", [as_array(touched)]
        )
        cursor.execute(
            "DELETE FROM scoring_dirtylead WHERE id = ANY(%s::bigint[])", [as_array(taken)]
        )


def _take_along(claims: Sequence[Claim]) -> tuple[list[int], dict[int, datetime | None]]:
    """Lock all rows of the leads of these claims, for one fold serves them all.

    Returns their ids, and by lead the earliest `since`, or None where a row has none. Rows
    that another process holds are left to it.
    """
    taken: list[int] = []
    touched: dict[int, datetime | None] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT id, lead_id, since FROM scoring_dirtylead
                WHERE lead_id = ANY(%s::bigint[]) FOR UPDATE SKIP LOCKED""",
            [as_array(sorted({claim.lead_id for claim in claims}))],
        )
        for row_id, lead_id, since in cursor.fetchall():
            taken.append(row_id)
            before = touched.get(lead_id, since)
            touched[lead_id] = min(before, since) if before and since else None
    return taken, touched


def _remember(claims: Sequence[Claim], error: str) -> None:
    DirtyLead.objects.filter(pk__in=[c.row_id for c in claims]).update(error=error[:500])
    _put_aside([claim for claim in claims if claim.attempts >= MOST_ATTEMPTS], error)


@transaction.atomic
def _put_aside(claims: Sequence[Claim], error: str) -> None:
    """Quarantine: shown to admins, taken up again by `replay` or by the lead's next event."""
    for claim in claims:
        FailedLead.objects.update_or_create(
            lead_id=claim.lead_id,
            defaults={"attempts": claim.attempts, "error": error[:500], "failed_at": Now()},
        )
    DirtyLead.objects.filter(pk__in=[claim.row_id for claim in claims]).delete()


@transaction.atomic
def replay(lead_ids: Iterable[int]) -> None:
    """Give leads that were put aside another chance."""
    ids = list(lead_ids)
    FailedLead.objects.filter(lead__in=ids).delete()
    enqueue(ids)


def set_limits() -> None:
    """Until the end of this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(LIMITS)


@transaction.atomic
def recompute_all(as_of: datetime | None = None) -> int:
    """Score all leads by the versions in force in one statement; returns how many.

    `as_of` must not lie before the newest fold (None: now). No fold runs
    meanwhile, so none of their results can be overwritten with older ones.
    """
    set_limits()
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE scoring_leadfeature IN SHARE ROW EXCLUSIVE MODE")
    query = governing.current_scores_query(anchors="%(anchors)s::timestamptz[]")
    if query is None:
        return 0
    as_of = folding.settled_instant(EVERYBODY, as_of)
    # Looked up here once, for each parallel worker would look them up for itself.
    anchors = list(LeadFeature.objects.values_list("anchor_at", flat=True).distinct())
    return replace_standings(query, {"as_of": as_of, "anchors": anchors})


def turn() -> int:
    """Count anew, in chunks, the leads for whom an event left its window or a silence began.

    Returns how many. Their standings follow with the next scoring; what is left over until
    then, that counts itself. So long work need not be done under its locks.
    """
    done = 0
    while due := folding.turned_leads(EVERYBODY, folding.database_instant(), CHUNK):
        with transaction.atomic():
            set_limits()
            folding.count(these(due))
        done += len(due)
    return done


CHANGED_ONLY = """
    SELECT fresh.* FROM ({query}) fresh LEFT JOIN leads_standing s ON s.lead_id = fresh.lead_id
     WHERE (s.score, s.fit, s.interest, s.quadrant, s.is_promising, s.model_version)
           IS DISTINCT FROM (fresh.score, fresh.fit, fresh.interest, fresh.quadrant,
                             fresh.is_promising, fresh.model_version)"""


def refresh() -> int:
    """Let time pass: decay the standings of all leads, then move on who became ready.

    In small transactions, for it runs every few minutes beside everything else.
    Returns how many standings changed.
    """
    half_published = Publication.objects.exclude(activated_at=None).filter(recomputed_at=None)
    if half_published.filter(attempts__lt=Publication.MOST_ATTEMPTS).exists():
        return 0  # it scores all leads itself
    turn()
    changed = sum(_refresh_some(ids) for ids in chunks_of_leads(LeadFeature.objects.all(), "lead"))
    if not half_published.exists():  # it decides who goes to sales when
        holding.release()
        crossing.promote()
    return changed


@transaction.atomic
def _refresh_some(lead_ids: Sequence[int]) -> int:
    set_limits()
    which = these(lead_ids)
    folding.lock_features(which)
    query = governing.current_scores_query(f"f.lead_id {which.sql}")
    if query is None:
        return 0
    return write_standings(
        CHANGED_ONLY.format(query=query), which.values | {"as_of": folding.settled_instant(which)}
    ).row_count


def rebuild(
    signals: Sequence[Signal] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Count hits of all leads anew, for some signals or all, and score. Returns how many leads.

    `progress` is told (leads done, leads in all) after each chunk. Can be stopped and
    run again at any time; all are scored at the end, or else by the next `refresh`.
    """
    total, done = Lead.objects.count(), 0
    started_at = folding.database_instant()
    chunk = LARGE_CHUNK if signals is None else FEW_SIGNALS_CHUNK
    for lead_ids in chunks_of_leads(Lead.objects.all(), "pk", chunk):
        count_again(lead_ids, signals)
        done += len(lead_ids)
        if progress:
            progress(done, total)
    counted = (
        Signal.objects.all()
        if signals is None
        else Signal.objects.filter(pk__in=[s.pk for s in signals])
    )
    counted.filter(counted_at=None).update(counted_at=started_at)
    recompute_all()
    settle_standings()
    return done


@transaction.atomic
def count_again(lead_ids: Sequence[int], signals: Sequence[Signal] | None = None) -> None:
    """Count anew, without scoring, for a run of neighbouring leads, by their ascending ids."""
    set_limits()
    folding.count(between(lead_ids[0], lead_ids[-1]), signals)


def chunks_of_leads(rows, column: str, size: int = CHUNK) -> Iterator[list[int]]:
    """Ids in ascending order, read as they are needed."""
    last = 0
    while True:
        some = rows.filter(**{f"{column}__gt": last}).order_by(column)
        ids = list(some.values_list(column, flat=True)[:size])
        if not ids:
            return
        yield ids
        last = ids[-1]
