"""Keeping visits what the events say: a drain for the relay, and the rebuild from nothing.

Triggers note whatever changes the events of a browser (migration 0003), in the transaction
of the change. The drain splits that browser's events anew from there on; so late events
may lengthen, merge or split visits, and any order of arrival ends in the same visits.
One process folds at a time (advisory lock of the transaction).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from tracking import channel_rules, touching
from tracking.event_reading import Stream, all_streams, read_hits
from tracking.sessions import GAP, columns_of, split
from tracking.visit_models import StaleVisits, Visit

MAX_ATTEMPTS = 5
_LOCK = 74_002  # advisory; tracking/attaching.py has its own
COMPARED = (
    *("started_at", "ended_at", "lead_id", "event_count", "page_views", "engaged_ms", "pages"),
    *("has_utm", "click_id", "referrer", "landing_path", "channel", "source", "medium", "campaign"),
    "rule_id",
)


def drain(limit: int = 1000) -> int:
    """Fold up to `limit` noted changes in. Returns how many rows of work it took."""
    work = _claim(limit)
    if work:
        _fold(work)
    return len(work)


def _claim(limit: int) -> list[StaleVisits]:
    """Count an attempt on the next rows of work before anything can fail. What failed before
    comes after all that is new, and alone."""
    with transaction.atomic():
        if not _try_lock():
            return []
        fresh = StaleVisits.objects.filter(attempt_count=0).order_by("id")[:limit]
        tried = StaleVisits.objects.filter(attempt_count__range=(1, MAX_ATTEMPTS - 1)).order_by(
            "attempt_count", "id"
        )[:1]
        work = list(fresh) or list(tried)
        ids = [row.pk for row in work]
        StaleVisits.objects.filter(pk__in=ids).update(attempt_count=F("attempt_count") + 1)
    return work


@transaction.atomic
def _fold(work: list[StaleVisits]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '60s'")
    _lock()
    since: dict[str, datetime] = {}
    leads = {row.lead_id for row in work if row.lead_id}
    for row in work:
        if row.anonymous_id:
            since[row.anonymous_id] = min(row.since, since.get(row.anonymous_id, row.since))
    leads |= refold(since)
    touching.restate_first_touches(since)
    touching.refresh(leads)
    StaleVisits.objects.filter(pk__in=[row.pk for row in work]).delete()


def refold(since: dict[str, datetime]) -> set[int]:
    """Split the events of these browsers anew, from about that instant on. Returns the leads whose
    visits changed."""
    rules = channel_rules.hold()
    known = _known_visits(since)
    starts = {
        (who, is_machine): _whole_visits_from(known[who, is_machine], at)
        for who, at in since.items()
        for is_machine in (False, True)
    }
    hits = read_hits(starts)
    gone: list[Visit] = []
    new: list[Visit] = []
    for stream, start in starts.items():
        old = [visit for visit in known[stream] if visit.started_at >= start]
        fresh = _drafts(stream, hits.get(stream, []), rules)
        kept = _matching(old, fresh)
        gone += [visit for visit in old if id(visit) not in kept]
        new += [visit for visit in fresh if id(visit) not in kept]
    Visit.objects.filter(pk__in=[visit.pk for visit in gone]).delete()
    Visit.objects.bulk_create(new, batch_size=1000)
    return {visit.lead_id for visit in (*gone, *new) if visit.lead_id}


def _drafts(stream: Stream, hits: Iterable, rules: Any) -> list[Visit]:
    who, is_machine = stream
    return [
        Visit(anonymous_id=who, is_machine=is_machine, **columns_of(session, rules))
        for session in split(hits)
    ]


def _matching(old: list[Visit], fresh: list[Visit]) -> set[int]:
    """The id()s of visits on both sides that say the same: nothing to write."""
    waiting: dict[tuple, list[Visit]] = defaultdict(list)
    for visit in old:
        waiting[visit.started_at, visit.ended_at, visit.event_count].append(visit)
    kept = set()
    for visit in fresh:
        for known in waiting[visit.started_at, visit.ended_at, visit.event_count]:
            if id(known) not in kept and _says(known) == _says(visit):
                kept |= {id(known), id(visit)}
                break
    return kept


def _says(visit: Visit) -> list:
    return [getattr(visit, name) for name in COMPARED]


def _known_visits(since: dict[str, datetime]) -> dict[Stream, list[Visit]]:
    """All visits of these browsers by stream, newest first."""
    found: dict[Stream, list[Visit]] = defaultdict(list)
    visits = Visit.objects.filter(anonymous_id__in=since).order_by("-started_at", "-pk")
    for visit in visits:
        found[visit.anonymous_id, visit.is_machine].append(visit)
    return found


def _whole_visits_from(visits: list[Visit], since: datetime) -> datetime:
    """The beginning of the visit that an event at `since` may belong to, and of those that it may
    continue: what came before stays as it is. `visits` are newest first."""
    start = since
    for visit in visits:
        if start - visit.ended_at > GAP:
            break
        start = min(start, visit.started_at)
    return start


# Retention deletes events that belong to nobody; visits that have lost theirs stay.
_PURGED = """lead_id IS NULL AND NOT EXISTS (
  SELECT FROM tracking_event e
   WHERE e.anonymous_id = tracking_visit.anonymous_id AND e.anonymous_id <> ''
     AND e.occurred_at BETWEEN tracking_visit.started_at AND tracking_visit.ended_at)"""
_DELETE_REMADE = f"DELETE FROM tracking_visit WHERE NOT ({_PURGED})"  # noqa: S608 - constants


def rebuild() -> int:
    """Make all visits anew from all events. Returns how many were made.

    Readers see the old ones until the commit.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        _lock()
        StaleVisits.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(_DELETE_REMADE)
        count = _make_all()
        touching.restate_all()
    return count


def differences() -> list[str]:
    """One sentence for each of the first browsers whose visits are not what their events say;
    those that still wait to be folded are left out."""
    found = []
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
        _lock()
        waiting = set(StaleVisits.objects.values_list("anonymous_id", flat=True))
        rules = channel_rules.hold()
        stored = _all_visits()
        for stream, hits in all_streams():
            fresh, old = _drafts(stream, hits, rules), stored.pop(stream, [])
            if stream[0] not in waiting and len(_matching(old, fresh)) != len(old) + len(fresh):
                found.append(f"browser {stream[0]}: {len(old)} visits, events say {len(fresh)}")
        found += [f"browser {who}: visits without events" for who, _ in stored]
    return found[:20]


def _all_visits() -> dict[Stream, list[Visit]]:
    stored: dict[Stream, list[Visit]] = defaultdict(list)
    kept = Visit.objects.extra(where=[f"NOT ({_PURGED})"])  # noqa: S610 - constants
    for visit in kept.order_by("started_at", "pk").iterator(2000):
        stored[visit.anonymous_id, visit.is_machine].append(visit)
    return stored


def _make_all() -> int:
    rules = channel_rules.hold()
    count, batch = 0, []
    for stream, hits in all_streams():
        batch += _drafts(stream, hits, rules)
        if len(batch) >= 2000:
            Visit.objects.bulk_create(batch)
            count, batch = count + len(batch), []
    Visit.objects.bulk_create(batch)
    return count + len(batch)


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '60s'")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _try_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return cursor.fetchone()[0]
