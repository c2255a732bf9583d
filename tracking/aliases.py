"""`alias`: a sender says that two ids are one person's.

The id that nobody knows yet names the lead of the other one from now on. Two people who
are both known are never merged: the pair is kept for a colleague to look at. What is said of
ids that nobody knows is remembered until one of them is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from tracking.models import Alias, VisitorLink
from tracking.register import Register, users_known
from tracking.visitors import Seen, visitors_with

LONGEST_CHAIN = 3  # of ids that become known by one another in one batch


class Said(NamedTuple):
    """An alias call; `event_id` is of the event that brought it."""

    previous_id: str
    user_id: str
    is_trusted: bool
    event_id: int
    said_at: datetime


def say(register: Register, event: Seen) -> None:
    """Write down what an alias call says, and draw it as far as its sender may."""
    said = Said(event.previous_id, event.user_id, event.is_trusted, event.id, event.occurred_at)
    if not said.previous_id or not said.user_id or said.previous_id == said.user_id:
        return
    leads = _both(register, said)
    known = {register.stands_for(lead) for lead in leads if lead is not None}
    is_flagged = len(known) > 1
    register.aliases.append(
        Alias(
            **said._asdict(),
            previous_lead_id=leads[0] if is_flagged else None,
            user_lead_id=leads[1] if is_flagged else None,
        )
    )
    _draw(register, said)


def draw_earlier(register: Register) -> None:
    """What was said before of ids that have just become known."""
    for _round in range(LONGEST_CHAIN):
        known = register.new_users.keys() | register.first_links.keys()
        waiting = _said_about(known - register.aliased)
        if not waiting:
            return
        register.aliased |= known
        _look_up(register, waiting)
        for said in waiting:
            _draw(register, said)


def _draw(register: Register, said: Said) -> None:
    previous, user = _both(register, said)
    if user is not None and previous is None:
        _adopt(register, said, user)
    elif previous is not None and user is None and _is_vouched(register, said):
        register.name_user(said.user_id, previous, is_trusted=True)


def _is_vouched(register: Register, said: Said) -> bool:
    """Whether a trusted source says this, of a previous id that one has said is the lead's.

    A visitor that only a form in a browser calls somebody may be an id that was guessed.
    """
    if not said.is_trusted:
        return False
    visitor = register.visitors.get(said.previous_id)
    by_user = register.lead_named(said.previous_id, is_trusted=True)
    return by_user is not None or (visitor is not None and register.is_vouched(visitor))


def _adopt(register: Register, said: Said, lead_id: int) -> None:
    """The previous id is this lead's: a browser with what it did so far, or a user id."""
    visitor = register.visitors.get(said.previous_id)
    if visitor is None:
        register.name_user(said.previous_id, lead_id, is_trusted=said.is_trusted)
        return
    reason = VisitorLink.Reason.USER_ID
    register.link(
        visitor,
        lead_id,
        at=said.said_at,
        reason=reason,
        event_id=said.event_id,
        is_trusted=said.is_trusted,
    )


def _both(register: Register, said: Said) -> tuple[int | None, int | None]:
    """The leads that the previous id and the user id name; None where nobody is known."""
    visitor = register.visitors.get(said.previous_id)
    by_visitor = visitor.lead_id if visitor else None
    previous, user = (
        register.lead_named(named, is_trusted=said.is_trusted)
        for named in (said.previous_id, said.user_id)
    )
    return previous or by_visitor, user


def _said_about(ids: Iterable[str]) -> list[Said]:
    wanted = list(ids)
    if not wanted:
        return []
    rows = Alias.objects.filter(Q(user_id__in=wanted) | Q(previous_id__in=wanted), user_lead=None)
    return [Said(*row) for row in rows.order_by("pk").values_list(*Said._fields)]


def _look_up(register: Register, waiting: list[Said]) -> None:
    ids = {said_id for said in waiting for said_id in (said.previous_id, said.user_id)}
    register.add_visitors(visitors_with(ids - register.visitors.keys()))
    register.add_users(*users_known(ids - register.users.keys()))
