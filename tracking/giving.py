"""Giving events to leads: those of a batch, and what their people did before they were known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from leads.activity import touch_activity
from tracking import identity
from tracking.events import NOT_ACTIVITY
from tracking.models import Verdict
from tracking.register import Register
from tracking.visitors import Seen


class Attached(NamedTuple):
    """An event that belongs to a lead now."""

    id: int
    lead_id: int
    occurred_at: datetime
    kind: str
    verdict: int


def give_own(register: Register, events: list[Seen]) -> list[Attached]:
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


def give_earlier(register: Register) -> list[Attached]:
    """Give leads what their visitors and user ids did before anybody knew who they were.

    Events that still wait for their own turn are left to it.
    """
    links, users = register.first_links, register.new_users
    vouched = [user_id in register.vouched_users for user_id in users]
    since = [register.first_touch_of_verified(lead_id) for lead_id in users.values()]
    linked_since = [register.linked_since.get(anonymous_id) for anonymous_id in links]
    return [
        *_give(_OF_VISITORS, links, [True] * len(links), linked_since),
        *_give(_OF_USERS, users, vouched, since),
    ]


def _give(
    statement: str, owners: dict[str, int], vouched: list[bool], since: Sequence[datetime | None]
) -> list[Attached]:
    if not owners:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            [list(owners), list(owners.values()), vouched, list(since)],
        )
        return [Attached(*row) for row in cursor.fetchall()]


_EARLIER = """
UPDATE tracking_event e SET lead_id = new.lead_id
  FROM unnest(%s::text[], %s::bigint[], %s::boolean[], %s::timestamptz[])
       AS new(owner, lead_id, is_vouched, since)
 WHERE e.{column} = new.owner AND e.{column} <> '' AND e.lead_id IS NULL
   AND (new.since IS NULL OR e.occurred_at >= new.since {unless})
   AND (new.is_vouched OR NOT e.is_trusted)
   AND NOT EXISTS (SELECT FROM tracking_pendingevent p WHERE p.event_id = e.id)
RETURNING e.id, e.lead_id, e.occurred_at, e.kind, e.verdict
"""
_OF_VISITORS = _EARLIER.format(column="anonymous_id", unless="")
# What a trusted source sends never follows an id that is only claimed; what others send tells
# nothing of a time before somebody verified was first here.
_OF_USERS = _EARLIER.format(column="user_id", unless="OR e.is_trusted")


def touch(told: Iterable[Attached]) -> None:
    """Move the last activity of these leads forward."""
    newest: dict[int, datetime] = {}
    for line in told:
        if line.verdict < Verdict.MACHINE and line.kind not in NOT_ACTIVITY:
            newest[line.lead_id] = max(line.occurred_at, newest.get(line.lead_id, line.occurred_at))
    touch_activity(newest)
