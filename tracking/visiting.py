"""Keeping visits what the events say: a drain for the relay, and the rebuild from nothing.

Triggers note whatever changes the events of a browser (migration 0003), in the transaction
of the change. The drain splits that browser's events anew from there on; so late events
may lengthen, merge or split visits, and any order of arrival ends in the same visits.
One process folds at a time; whom, and with whom, waiting_visits.py decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from django.db import connection, transaction

from tracking import channel_rules, touching, waiting_visits
from tracking.event_reading import Stream, all_streams, read_hits
from tracking.sessions import GAP, Classify, classifier, columns_of, split
from tracking.visit_models import StaleVisits, Visit
from tracking.waiting_visits import Waiting

COMPARED = (
    *("started_at", "ended_at", "lead_id", "event_count", "page_views", "engaged_ms", "pages"),
    *("has_utm", "click_id", "referrer", "landing_path", "channel", "source", "medium", "campaign"),
    "rule_id",
)


def drain(limit: int = 1000) -> int:
    """Fold up to `limit` new changes in, then somebody with a long history, then somebody who
    failed before. Returns how many rows of work it took."""
    if not waiting_visits.is_any():
        return 0
    claims = (waiting_visits.claim_short, waiting_visits.claim_long, waiting_visits.claim_tried)
    return sum(_take(claim, limit) for claim in claims)


def _take(claim: Callable[[int], list[Waiting]], limit: int) -> int:
    waiting = claim(limit)
    if waiting:
        _fold(waiting)
    return sum(len(one.row_ids) for one in waiting)


@transaction.atomic
def _fold(waiting: Sequence[Waiting]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '60s'")
    waiting_visits.lock()
    since = {one.anonymous_id: one.since for one in waiting if one.anonymous_id}
    leads = {one.lead_id for one in waiting if one.lead_id}
    leads |= refold(since)
    touching.restate_first_touches(since)
    touching.refresh(leads)
    done = [row_id for one in waiting for row_id in one.row_ids]
    StaleVisits.objects.filter(pk__in=done).delete()


def refold(since: dict[str, datetime]) -> set[int]:
    """Split the events of these browsers anew, from about that instant on. Returns the leads whose
    visits changed."""
    classify = classifier(channel_rules.hold())
    starts = starts_of(since)
    known, hits = _known_visits(starts), read_hits(starts)
    gone: list[Visit] = []
    new: list[Visit] = []
    for stream in starts:
        old = known[stream]
        fresh = _drafts(stream, hits.get(stream, []), classify)
        kept = _matching(old, fresh)
        gone += [visit for visit in old if id(visit) not in kept]
        new += [visit for visit in fresh if id(visit) not in kept]
    Visit.objects.filter(pk__in=[visit.pk for visit in gone]).delete()
    Visit.objects.bulk_create(new, batch_size=1000)
    return {visit.lead_id for visit in (*gone, *new) if visit.lead_id}


def _drafts(stream: Stream, hits: Iterable, classify: Classify) -> list[Visit]:
    who, is_machine = stream
    return [
        Visit(anonymous_id=who, is_machine=is_machine, **columns_of(session, classify))
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


# Newest first, up to the first break that is long enough: there an earlier visit surely ended.
_STARTS = """
SELECT who, is_machine,
       coalesce(max(next_at) FILTER (WHERE next_at - ended_at > make_interval(secs => %s)),
                min(started_at))
  FROM (SELECT wanted.who, v.is_machine, v.started_at, v.ended_at,
               lead(v.started_at, 1, wanted.since) OVER (
                 PARTITION BY wanted.who, v.is_machine ORDER BY v.started_at, v.id) AS next_at
          FROM unnest(%s::text[], %s::timestamptz[]) AS wanted(who, since)
          JOIN tracking_visit v ON v.anonymous_id = wanted.who AND v.started_at <= wanted.since
  ) AS before GROUP BY 1, 2
"""


def starts_of(since: dict[str, datetime]) -> dict[Stream, datetime]:
    """By stream the beginning of the visit that an event at that instant may belong to, and of
    those that it may continue: what came before stays as it is."""
    starts = {(who, is_machine): at for who, at in since.items() for is_machine in (False, True)}
    with connection.cursor() as cursor:
        cursor.execute(_STARTS, [GAP.total_seconds(), list(since), list(since.values())])
        starts |= {(who, is_machine): start for who, is_machine, start in cursor.fetchall()}
    return starts


def _known_visits(starts: dict[Stream, datetime]) -> dict[Stream, list[Visit]]:
    """The visits of each stream from its start on."""
    found: dict[Stream, list[Visit]] = defaultdict(list)
    streams = [*starts]
    visits = Visit.objects.raw(
        """SELECT v.* FROM unnest(%s::text[], %s::bool[], %s::timestamptz[])
                             AS wanted(who, is_machine, start)
             JOIN tracking_visit v ON v.anonymous_id = wanted.who
                  AND v.is_machine = wanted.is_machine AND v.started_at >= wanted.start""",
        [[who for who, _is in streams], [is_machine for _who, is_machine in streams],
         list(starts.values())],
    )  # fmt: skip
    for visit in visits:
        found[visit.anonymous_id, visit.is_machine].append(visit)
    return found


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
        waiting_visits.lock()
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
        waiting_visits.lock()
        waiting = set(StaleVisits.objects.values_list("anonymous_id", flat=True))
        classify = classifier(channel_rules.hold())
        stored = _all_visits()
        for stream, hits in all_streams():
            fresh, old = _drafts(stream, hits, classify), stored.pop(stream, [])
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
    classify = classifier(channel_rules.hold())
    count, batch = 0, []
    for stream, hits in all_streams():
        batch += _drafts(stream, hits, classify)
        if len(batch) >= 2000:
            Visit.objects.bulk_create(batch)
            count, batch = count + len(batch), []
    Visit.objects.bulk_create(batch)
    return count + len(batch)
