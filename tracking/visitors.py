"""Recognising the browsers behind a batch of events, and where each one first came from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from tracking.channels import Touch, classify
from tracking.models import LONGEST_ID, Verdict, Visitor, VisitorLink


@dataclass(slots=True)
class Seen:
    """A stored event, as far as its attaching needs it."""

    id: int
    source_id: int
    kind: str
    name: str
    occurred_at: datetime
    received_at: datetime
    anonymous_id: str
    user_id: str
    lead_id: int | None
    url: str
    path: str
    referrer: str
    properties: dict[str, Any]
    context: dict[str, Any]
    is_trusted: bool
    verdict: int

    @property
    def is_machine(self) -> bool:
        """Whether it counts for nothing: a machine did it, or one of us."""
        return self.verdict >= Verdict.MACHINE

    @property
    def previous_id(self) -> str:
        """The other id that an alias call names; "" of any other call."""
        named = self.properties.get("previous_id") if self.kind == "aliased" else ""
        return named if isinstance(named, str) and len(named) <= LONGEST_ID else ""

    @property
    def touch(self) -> Touch:
        campaign = self.context.get("campaign")
        known = campaign if isinstance(campaign, dict) else None
        return classify(self.url, self.referrer, known)


class Link(NamedTuple):
    """Whom a visitor was taken for, and from when on; see VisitorLink."""

    since: datetime
    lead_id: int
    reaches_back: bool


@dataclass(slots=True)
class Known:
    """A visitor with the history of who it was taken for, oldest first."""

    id: int
    anonymous_id: str
    lead_id: int | None
    first_seen_at: datetime
    touch: Touch
    links: list[Link] = field(default_factory=list)

    def lead_at(self, instant: datetime) -> int | None:
        """Whose events these were then; what came before the first link is of its lead, too, if
        that link reaches back."""
        reaching = self.links[0].reaches_back if self.links else False
        lead_id = self.links[0].lead_id if reaching else None
        for link in self.links:
            if link.since <= instant:
                lead_id = link.lead_id
        return lead_id


def meet(events: Iterable[Seen]) -> dict[str, Known]:
    """The visitors of these events by anonymous id, made or brought up to date.

    A machine makes no visitor. Rows are written in the order of their id, so that two
    relays wait for each other instead of dead-locking.
    """
    events = list(events)
    _remember([event for event in events if event.anonymous_id and not event.is_machine])
    return known_visitors(events)


def known_visitors(events: Iterable[Seen]) -> dict[str, Known]:
    """The visitors of these events by anonymous id, as they are."""
    ids = {named for event in events for named in (event.anonymous_id, event.previous_id)}
    return visitors_with(ids - {""})


def visitors_with(anonymous_ids: set[str]) -> dict[str, Known]:
    """The known ones of these visitors, by anonymous id."""
    if not anonymous_ids:
        return {}
    known = _read(anonymous_ids)
    _read_links(known)
    return known


def _remember(events: list[Seen]) -> None:
    first: dict[str, Seen] = {}
    last: dict[str, datetime] = {}
    for event in events:
        who = event.anonymous_id
        if who not in first or event.occurred_at < first[who].occurred_at:
            first[who] = event
        last[who] = max(event.occurred_at, last.get(who, event.occurred_at))
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, first_touches([(first[who], last[who]) for who in sorted(first)]))


def first_touches(met: list[tuple[Seen, datetime]]) -> list[list]:
    """Columns of visitors, from the first event of each and the instant of its last."""
    touches = [event.touch for event, _last in met]
    return [
        [event.anonymous_id for event, _last in met],
        [event.occurred_at for event, _last in met],
        [last for _event, last in met],
        [str(touch.channel) for touch in touches],
        [touch.source for touch in touches],
        [touch.medium for touch in touches],
        [touch.campaign for touch in touches],
        [event.path[:500] for event, _last in met],
    ]


# An event that comes late but happened earlier restates the first touch.
_UPSERT = """
INSERT INTO tracking_visitor AS mine (anonymous_id, first_seen_at, last_seen_at, channel, source,
                                      medium, campaign, landing_path)
SELECT * FROM unnest(%s::text[], %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[],
                     %s::text[], %s::text[], %s::text[])
ON CONFLICT (anonymous_id) DO UPDATE SET
  last_seen_at = greatest(mine.last_seen_at, excluded.last_seen_at),
  (first_seen_at, channel, source, medium, campaign, landing_path) = (
    SELECT at, channel, source, medium, campaign, path FROM (VALUES
      (mine.first_seen_at, mine.channel, mine.source, mine.medium, mine.campaign,
       mine.landing_path, 0),
      (excluded.first_seen_at, excluded.channel, excluded.source, excluded.medium,
       excluded.campaign, excluded.landing_path, 1)
    ) AS touch(at, channel, source, medium, campaign, path, age) ORDER BY at, age LIMIT 1)
"""


def _read(anonymous_ids: set[str]) -> dict[str, Known]:
    columns = ("id", "anonymous_id", "lead_id", "first_seen_at")
    rows = Visitor.objects.filter(anonymous_id__in=anonymous_ids).values_list(
        *columns, "channel", "source", "medium", "campaign"
    )
    return {row[1]: Known(row[0], row[1], row[2], row[3], Touch(*row[4:])) for row in rows}


def _read_links(known: dict[str, Known]) -> None:
    by_id = {visitor.id: visitor for visitor in known.values() if visitor.lead_id}
    links = VisitorLink.objects.filter(visitor__in=by_id).order_by("started_at", "id")
    columns = ("visitor_id", "started_at", "lead_id", "reaches_back")
    for visitor_id, since, lead_id, reaches_back in links.values_list(*columns):
        by_id[visitor_id].links.append(Link(since, lead_id, reaches_back))
