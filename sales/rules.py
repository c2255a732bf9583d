"""Pure decisions of sales: who takes a lead, by when, and who may decide."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from users.roles import Role

# Monday to Friday, nine to five, in the organisation's time zone.
OPENS, CLOSES = time(9), time(17)
WORKDAYS = range(5)
DECISION_HOURS = 8
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Candidate:
    """A rep who could take a hand-off. `load`: open hand-offs and leads in SAL or SQL."""

    rep_id: int
    capacity: int
    load: int
    last_assigned_at: datetime | None


def choose_rep(candidates: Iterable[Candidate]) -> int | None:
    """The rep with the most room for their size; among equals, whose last turn is longest ago.

    None when nobody has room.
    """
    free = [c for c in candidates if c.load < c.capacity]
    if not free:
        return None
    best = min(free, key=lambda c: (c.load / c.capacity, c.last_assigned_at or NEVER, c.rep_id))
    return best.rep_id


def add_working_hours(start: datetime, hours: float, zone: tzinfo) -> datetime:
    """The instant `hours` working hours after `start`.

    Counts on the clock on the wall, which never changes during working hours, so
    it is right across changes to and from summer time.
    """
    wall = start.astimezone(zone).replace(tzinfo=None)
    left = timedelta(hours=hours)
    while True:
        wall = _next_working_moment(wall)
        closing = datetime.combine(wall, CLOSES)
        if left <= closing - wall:
            return (wall + left).replace(tzinfo=zone).astimezone(UTC)
        left -= closing - wall
        wall = closing


def _next_working_moment(wall: datetime) -> datetime:
    """`wall` itself if people work then, else when they start next."""
    if wall.time() >= CLOSES:
        wall = datetime.combine(wall + timedelta(days=1), OPENS)
    while wall.weekday() not in WORKDAYS:
        wall = datetime.combine(wall + timedelta(days=1), OPENS)
    return max(wall, datetime.combine(wall, OPENS))


def may_decide(user, handoff) -> bool:
    """Assigned to the user, waiting in the queue of the user's team, or managed by the user."""
    if user.role == Role.ADMIN:
        return True
    is_same_team = user.team_id is not None and user.team_id == handoff.team_id
    if user.role == Role.MANAGER:
        return is_same_team
    if user.role == Role.REP:
        is_queued = handoff.assignee_id is None and is_same_team
        return handoff.assignee_id == user.pk or is_queued
    return False


def may_propose(role: str) -> bool:
    """Proposing an MQL by hand is marketing's, or the boss's."""
    return role in (Role.MARKETER, Role.MANAGER, Role.ADMIN)


def may_work_on(user, lead) -> bool:
    """BANT and opportunity belong to the lead's owner; the team's manager may help out."""
    if user.role == Role.ADMIN:
        return True
    if user.role == Role.MANAGER:
        teams = {lead.team_id, lead.owner and lead.owner.team_id}
        return user.team_id is not None and user.team_id in teams
    return user.role == Role.REP and lead.owner_id == user.pk


def working_minutes_between(start: datetime, end: datetime, zone: tzinfo) -> int:
    """Minutes of working time from `start` to `end`; negative when `end` lies before `start`."""
    if end < start:
        return -working_minutes_between(end, start, zone)
    wall, stop = (moment.astimezone(zone).replace(tzinfo=None) for moment in (start, end))
    total = timedelta()
    while (wall := _next_working_moment(wall)) < stop:
        closing = min(datetime.combine(wall, CLOSES), stop)
        total += closing - wall
        wall = closing
    return int(total.total_seconds() // 60)
