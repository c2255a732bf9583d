"""Which browsers' visits are folded next, so that none holds up the others.

Of what is new, browsers with little to read go together, one with a long history by itself. Who
failed before goes by itself as well, and has its turn however much is new. Whoever takes a browser
takes all that waits of it: one fold serves every change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import F, Q

from tracking.visit_models import StaleVisits

MAX_ATTEMPTS = 5
LONG_REACH = 1_000  # events to read anew; whose are more is folded alone
MOST_EVENTS = 10_000  # read by one fold of several browsers: about a second of computing
_LOCK = 74_002  # advisory; tracking/attaching.py has its own

Key = tuple[str, int | None]  # a browser, or "" and a lead


class Waiting(NamedTuple):
    """All that changed of one browser, or of one lead beside its browsers, since an instant."""

    anonymous_id: str
    lead_id: int | None
    since: datetime
    row_ids: list[int]


def is_any() -> bool:
    return StaleVisits.objects.filter(attempt_count__lt=MAX_ATTEMPTS).exists()


def claim_short(limit: int) -> list[Waiting]:
    """Of the oldest `limit` new rows, who has little to be read, up to MOST_EVENTS together."""
    return _claim(lambda: _cut(_fresh(limit)))


def claim_long(limit: int) -> list[Waiting]:
    """Of the same rows, the first who has more than LONG_REACH events to be read."""
    return _claim(lambda: [one for one, reach in _fresh(limit) if reach > LONG_REACH][:1])


def claim_tried(_limit: int) -> list[Waiting]:
    """Who failed before, those with the fewest attempts first: one at a time.

    What was given up is tried once more together with the first newer change, then left alone.
    """
    return _claim(_first_tried)


def _claim(choose: Callable[[], list[Waiting]]) -> list[Waiting]:
    """Count an attempt before anything can fail. Nothing is chosen while somebody folds."""
    with transaction.atomic():
        if not _try_lock():
            return []
        chosen = choose()
        _tried_now([row_id for one in chosen for row_id in one.row_ids])
    return chosen


def _tried_now(row_ids: Sequence[int]) -> None:
    rows = StaleVisits.objects.filter(pk__in=row_ids, attempt_count__lt=MAX_ATTEMPTS)
    rows.update(attempt_count=F("attempt_count") + 1)


def _fresh(limit: int) -> list[tuple[Waiting, int]]:
    """Who did something new, oldest first, and how many events are to be read for it.

    News of a browser that failed before counts as tried, too, and is left out.
    """
    first = StaleVisits.objects.filter(attempt_count=0).order_by("id")[:limit]
    keys = list(dict.fromkeys(first.values_list("anonymous_id", "lead_id")))
    if not keys:
        return []
    rows = _rows_of(keys)
    is_tried = {key: any(row.attempt_count for row in rows[key]) for key in keys}
    _tried_now([row.pk for key in keys if is_tried[key] for row in rows[key]
                if not row.attempt_count])  # fmt: skip
    chosen = [_waiting(key, rows[key]) for key in keys if not is_tried[key]]
    reaches = _reaches(chosen)
    return [(one, reaches.get(one.anonymous_id, 0)) for one in chosen]


def _cut(fresh: Iterable[tuple[Waiting, int]]) -> list[Waiting]:
    chosen: list[Waiting] = []
    total = 0
    for one, reach in fresh:
        if reach <= LONG_REACH:
            total += reach
            if chosen and total > MOST_EVENTS:
                break
            chosen.append(one)
    return chosen


def _first_tried() -> list[Waiting]:
    tried = StaleVisits.objects.filter(attempt_count__range=(1, MAX_ATTEMPTS - 1))
    first = tried.order_by("attempt_count", "id").first()
    if first is None:
        return []
    key = first.anonymous_id, first.lead_id
    rows = _rows_of([key])[key]
    if first.attempt_count > 1:
        rows = [row for row in rows if row.attempt_count < MAX_ATTEMPTS]
    return [_waiting(key, rows)]


def _waiting(key: Key, rows: Sequence[StaleVisits]) -> Waiting:
    return Waiting(*key, min(row.since for row in rows), [row.pk for row in rows])


def _rows_of(keys: Sequence[Key]) -> dict[Key, list[StaleVisits]]:
    """All rows of these browsers and leads, whatever became of them so far."""
    browsers = [who for who, _lead_id in keys if who]
    leads = [lead_id for who, lead_id in keys if not who]
    found: dict[Key, list[StaleVisits]] = defaultdict(list)
    mine = Q(anonymous_id__in=browsers) | Q(anonymous_id="", lead_id__in=leads)
    for row in StaleVisits.objects.filter(mine).order_by("id"):
        found[row.anonymous_id, row.lead_id].append(row)
    return found


_REACHES = """
SELECT wanted.who, count(*)
  FROM unnest(%s::text[], %s::timestamptz[]) AS wanted(who, since),
       LATERAL (SELECT FROM tracking_event e
                 WHERE e.anonymous_id = wanted.who AND e.anonymous_id <> ''
                   AND e.occurred_at >= wanted.since LIMIT %s) to_read
 GROUP BY 1
"""


def _reaches(waiting: Iterable[Waiting]) -> dict[str, int]:
    """By browser how many events lie after the change: exact up to LONG_REACH, else one more."""
    browsers = {one.anonymous_id: one.since for one in waiting if one.anonymous_id}
    with connection.cursor() as cursor:
        cursor.execute(_REACHES, [list(browsers), list(browsers.values()), LONG_REACH + 1])
        return dict(cursor.fetchall())


def lock() -> None:
    """Wait until nobody folds visits, and keep everybody else from it until the commit.

    A fold computes inside its transaction: the limit to idleness, meant for who forgot
    theirs, does not hold for it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SET LOCAL lock_timeout = '60s'")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _try_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return cursor.fetchone()[0]
