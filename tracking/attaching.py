"""Drawing the consequences of stored events: visitors, leads, consent, news.

Work rows (PendingEvent) were committed with the events. `drain` takes some of them,
and one transaction does everything that follows and deletes the rows, so a crash
anywhere repeats all of it or nothing. Any number of relays and workers may drain.
"""

from __future__ import annotations

import logging

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _

from leads.actors import Actor
from leads.capture import qualify_when_ready
from tracking import giving, identity, overruling, quarantine, visitors
from tracking.engagement import keep_longest
from tracking.models import Event
from tracking.register import INTRODUCING, open_register
from tracking.signals import event_recorded
from tracking.stored_events import read_waiting
from tracking.verdicts import arriving
from tracking.verdicts.restating import LOCK
from tracking.visitors import Seen

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 5
LEASE_SECONDS = 20  # nobody else takes up claimed events before; a killed relay costs this
TRUSTED_ATTEMPTS = 2  # events that failed this often are taken one by one
MOST_INTRODUCTIONS = 50  # in one transaction

# Claims of this process that it did not come to, to be given back.
_owed: set[int] = set()


def drain(limit: int = 1000) -> int:
    """Attach up to `limit` waiting events; returns how many were taken up.

    Raises OperationalError while the database is away.
    """
    # After people who introduced themselves, more of them are likely.
    limit = min(limit, 2 * MOST_INTRODUCTIONS) if _owed else limit
    _give_back()
    return _drain(limit, is_suspicious=False) + _drain(1, is_suspicious=True)


def _drain(limit: int, *, is_suspicious: bool) -> int:
    claimed = _claim(limit, is_suspicious)
    worn_out = [event_id for event_id, attempts in claimed.items() if attempts > MOST_ATTEMPTS]
    if worn_out:
        with transaction.atomic():
            quarantine.set_aside(
                worn_out,
                reason="The process ended each time this was tried.",
                attempts=MOST_ATTEMPTS,
            )
    fresh = [event_id for event_id in claimed if event_id not in set(worn_out)]
    if fresh:
        _attach_somehow(fresh, claimed)
    return len(claimed.keys() - _owed)


def _attach_somehow(event_ids: list[int], attempts: dict[int, int]) -> None:
    """All in one transaction; if that fails, one by one, so that one bad event harms no other."""
    try:
        _owed.update(set(event_ids) - attach(event_ids))
    except Exception as error:
        if is_passing(error):
            _owed.update(event_ids)
            raise
        if len(event_ids) == 1:
            _note_failure(event_ids[0], attempts[event_ids[0]], error)
            return
        log.exception("%s events could not be attached together.", len(event_ids))
        for event_id in event_ids:
            _attach_somehow([event_id], attempts)


@transaction.atomic
def attach(event_ids: list[int]) -> set[int]:
    """Everything that follows from these events, once; returns the ids of those done.

    Left out are those no longer pending, and what comes after MOST_INTRODUCTIONS people who
    introduced themselves: each of them costs as much as hundreds of page views.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '30s'")
    hold()
    events = _up_to_introductions(read_waiting(event_ids))
    arriving.judge(events)
    register = open_register(events, visitors.meet(events))
    identity.recognise(register, events)
    keep_longest(events)
    told = giving.give_own(register, events) + giving.give_earlier(register)
    taken, losers = overruling.take_back(register)
    told = [*{line.id: line for line in (*told, *taken)}.values()]
    giving.touch(told)
    for lead_id in sorted(register.to_qualify):
        qualify_when_ready(lead_id, by=Actor.rule(_("Criteria met")))
    if told:
        event_recorded.send(
            sender=Event,
            lead_ids=sorted({line.lead_id for line in told} | losers),
            event_ids=sorted(line.id for line in told),
            losers=sorted(losers),
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM tracking_pendingevent WHERE event_id = ANY(%s)",
            [[event.id for event in events]],
        )
    arriving.follow_up(told)
    return {event.id for event in events}


def hold() -> None:
    """Wait until nobody attaches events, and keep everybody else from it until the commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def is_passing(error: Exception) -> bool:
    """Whether the database is away or another process was in the way: no fault of the event."""
    if not isinstance(error, OperationalError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(("08", "53", "57P", "55P03", "40"))


def _claim(limit: int, is_suspicious: bool) -> dict[int, int]:
    """Take waiting events up for LEASE_SECONDS and count the attempt, before any work.

    Returns event id → attempts. Empty while somebody else attaches.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return {}
        cursor.execute(
            _CLAIM,
            {
                "lowest": TRUSTED_ATTEMPTS if is_suspicious else 0,
                "below": 32_767 if is_suspicious else TRUSTED_ATTEMPTS,
                "limit": limit,
                "lease": LEASE_SECONDS,
            },
        )
        return dict(cursor.fetchall())


# An array, not a join: statistics of a queue are those of an empty one.
_CLAIM = """
WITH due AS (
  SELECT event_id FROM tracking_pendingevent
   WHERE due_at <= statement_timestamp() AND attempts >= %(lowest)s AND attempts < %(below)s
   ORDER BY event_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
UPDATE tracking_pendingevent p
   SET attempts = p.attempts + 1, due_at = statement_timestamp() + make_interval(secs => %(lease)s)
 WHERE p.event_id = ANY(ARRAY(SELECT event_id FROM due))
RETURNING p.event_id, p.attempts
"""


def _give_back() -> None:
    """Events that nothing was done about, or whose attempt ended with the database, lose
    neither an attempt nor time."""
    if not _owed:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE tracking_pendingevent
               SET attempts = greatest(attempts - 1, 0), due_at = statement_timestamp()
             WHERE event_id = ANY(%s)
            """,
            [sorted(_owed)],
        )
    _owed.clear()


def _note_failure(event_id: int, attempts: int, error: Exception) -> None:
    log.exception("Event %s could not be attached.", event_id)
    if attempts >= MOST_ATTEMPTS:
        with transaction.atomic():
            quarantine.set_aside([event_id], reason=repr(error), attempts=attempts)
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE tracking_pendingevent
               SET due_at = statement_timestamp() + make_interval(secs => %s)
             WHERE event_id = %s
            """,
            [2**attempts, event_id],
        )


def _up_to_introductions(events: list[Seen]) -> list[Seen]:
    count = 0
    for index, event in enumerate(events):
        count += event.kind in INTRODUCING and not event.is_machine
        if count > MOST_INTRODUCTIONS:
            return events[:index]
    return events
