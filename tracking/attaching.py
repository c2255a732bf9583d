"""Drawing the consequences of stored events: visitors, leads, consent, news.

Work rows (PendingEvent) were committed with the events. `drain` takes some of them,
and one transaction does everything that follows and deletes the rows, so a crash
anywhere repeats all of it or nothing. Any number of relays and workers may drain.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import NamedTuple

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _

from leads.activity import touch_activity
from leads.actors import Actor
from leads.capture import qualify_when_ready
from tracking import identity, quarantine, visitors
from tracking.engagement import keep_longest
from tracking.events import NOT_ACTIVITY
from tracking.models import Event, Verdict
from tracking.register import INTRODUCING, Register, open_register
from tracking.signals import event_recorded
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
    events = _up_to_introductions(_read(event_ids))
    arriving.judge(events)
    register = open_register(events, visitors.meet(events))
    identity.recognise(register, events)
    keep_longest(events)
    told = _attach_own(register, events) + _attach_earlier(register)
    _touch(told)
    for lead_id in sorted(register.to_qualify):
        qualify_when_ready(lead_id, by=Actor.rule(_("Criteria met")))
    if told:
        event_recorded.send(
            sender=Event,
            lead_ids=sorted({line.lead_id for line in told}),
            event_ids=sorted(line.id for line in told),
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


class Attached(NamedTuple):
    """An event that belongs to a lead now."""

    id: int
    lead_id: int
    occurred_at: datetime
    kind: str
    verdict: int


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


def _read(event_ids: list[int]) -> list[Seen]:
    """The events still pending, in the order they happened, their work rows locked."""
    return _seen(
        "tracking_pendingevent p JOIN tracking_event e ON e.id = p.event_id"
        " WHERE p.event_id = ANY(%s) ORDER BY p.event_id FOR UPDATE OF p SKIP LOCKED",
        event_ids,
    )


def read_events(event_ids: Sequence[int]) -> list[Seen]:
    """Stored events in the order they happened."""
    return _seen("tracking_event e WHERE e.id = ANY(%s)", event_ids)


def _seen(which: str, event_ids: Sequence[int]) -> list[Seen]:
    columns = ", ".join(f"e.{field.name}" for field in fields(Seen))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {which}", [list(event_ids)])  # noqa: S608
        rows = [Seen(*row) for row in cursor.fetchall()]
    for event in rows:  # a plain cursor hands out JSON as text
        event.properties = json.loads(str(event.properties))
        event.context = json.loads(str(event.context))
    return sorted(rows, key=lambda event: (event.occurred_at, event.id))


def _up_to_introductions(events: list[Seen]) -> list[Seen]:
    count = 0
    for index, event in enumerate(events):
        count += event.kind in INTRODUCING and not event.is_machine
        if count > MOST_INTRODUCTIONS:
            return events[:index]
    return events


def _attach_own(register: Register, events: list[Seen]) -> list[Attached]:
    """Give the events of this batch to their leads."""
    owners = [(event, identity.owner_of(register, event)) for event in events]
    told = [
        Attached(event.id, lead_id, event.occurred_at, event.kind, event.verdict)
        for event, lead_id in owners
        if lead_id is not None
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE tracking_event e SET lead_id = new.lead_id
              FROM unnest(%s::bigint[], %s::bigint[]) AS new(id, lead_id)
             WHERE e.id = new.id AND e.lead_id IS DISTINCT FROM new.lead_id
            """,
            [[line.id for line in told], [line.lead_id for line in told]],
        )
    return told


def _attach_earlier(register: Register) -> list[Attached]:
    """Give leads what their visitors and user ids did before anybody knew who they were.

    Events that still wait for their own turn are left to it.
    """
    told = []
    for column, owners in (
        ("anonymous_id", register.first_links),
        ("user_id", register.new_users),
    ):
        if owners:
            with connection.cursor() as cursor:
                cursor.execute(
                    _EARLIER.format(column=column), [list(owners), list(owners.values())]
                )
                told += [Attached(*row) for row in cursor.fetchall()]
    return told


_EARLIER = """
UPDATE tracking_event e SET lead_id = new.lead_id
  FROM unnest(%s::text[], %s::bigint[]) AS new(owner, lead_id)
 WHERE e.{column} = new.owner AND e.{column} <> '' AND e.lead_id IS NULL
   AND NOT EXISTS (SELECT FROM tracking_pendingevent p WHERE p.event_id = e.id)
RETURNING e.id, e.lead_id, e.occurred_at, e.kind, e.verdict
"""


def _touch(told: Iterable[Attached]) -> None:
    newest: dict[int, datetime] = {}
    for line in told:
        if line.verdict < Verdict.MACHINE and line.kind not in NOT_ACTIVITY:
            newest[line.lead_id] = max(line.occurred_at, newest.get(line.lead_id, line.occurred_at))
    touch_activity(newest)
