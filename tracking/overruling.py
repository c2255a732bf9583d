"""A trusted source says whose a user id is that somebody had claimed in public.

What the claim drew to the claimant goes to the right person: events, browsers, and with them
visits, touches and scores. So it is as if the trusted source had spoken first. What the claimant
did under an own address, or in a browser that introduced itself by one, stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter

from django.db import connection

from leads.survivors import leads_by_email
from tracking import identity
from tracking.giving import Attached
from tracking.models import Event, Verdict, Visitor, VisitorLink
from tracking.register import INTRODUCING, Register, email_named_by, open_register
from tracking.stored_events import batches, read_events
from tracking.verdicts.restating import restate_activity_of
from tracking.visitors import Seen, known_visitors

_CHANGING = ("lead", "is_flagged", "reaches_back")


def take_back(register: Register) -> tuple[list[Attached], set[int]]:
    """Do so for the claims that this batch overruled; its links and ids are written already.

    Returns the events with their new leads, and the leads that lost some.
    """
    taken: list[Attached] = []
    losers: set[int] = set()
    for user_id, claimant in sorted(register.overruled.items()):
        right = register.users[user_id]
        giver, taker = register.stands_for(claimant), register.stands_for(right)
        browsers = _relink(register, user_id, claimant, right)
        if giver != taker and (moved := _take(user_id, browsers, giver, taker)):
            taken += moved
            losers.add(giver)
    restate_activity_of(losers)
    return taken, losers


def _take(user_id: str, browsers: Sequence[str], giver: int, taker: int) -> list[Attached]:
    """Of the giver's events those that are the taker's by the names in them, as of now. What
    only a claim had drawn to the giver, and nobody's name is in, is nobody's again."""
    drawn = Event.objects.filter(lead=giver)
    ids = {
        *drawn.filter(user_id=user_id).values_list("pk", flat=True),
        *drawn.filter(anonymous_id__in=browsers).values_list("pk", flat=True),
    }
    moved = []
    for some in batches(sorted(ids)):
        events = read_events(some)
        names = open_register(events, known_visitors(events), is_reading=True)
        owners = {event.id: identity.owner_by_names(names, event) for event in events}
        theirs = [event for event in events if owners[event.id] == taker]
        _hand_over(theirs, taker)
        _hand_over([event for event in events if owners[event.id] is None], None)
        moved += [
            Attached(event.id, taker, event.occurred_at, event.kind, event.verdict)
            for event in theirs
        ]
    return moved


def _hand_over(events: Sequence[Seen], lead_id: int | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tracking_event SET lead_id = %s WHERE id = ANY(%s)",
            [lead_id, [event.id for event in events]],
        )


def _relink(register: Register, user_id: str, claimant: int, right: int) -> list[str]:
    """Browsers that the id alone made the claimant's are the right lead's instead; returns their
    anonymous ids."""
    drawn = _by_id_alone(user_id, claimant)
    if not drawn:
        return []
    visitors = Visitor.objects.in_bulk({link.visitor_id for link in drawn})
    links = {link.pk: link for link in VisitorLink.objects.filter(visitor__in=visitors)}
    for link in drawn:
        links[link.pk].lead_id = right
        links[link.pk].reaches_back = not register.is_verified(right)
    all_links = [*links.values(), *_own_introductions(register, visitors.values(), claimant)]
    all_links.sort(key=lambda link: (link.visitor_id, link.started_at))
    kept: list[VisitorLink] = []
    for visitor_id, history in groupby(all_links, key=attrgetter("visitor_id")):
        kept += _told_apart(register, history)
        visitors[visitor_id].lead_id = kept[-1].lead_id
    old = {link.pk for link in kept if link.pk}
    VisitorLink.objects.filter(pk__in=links.keys() - old).delete()
    VisitorLink.objects.bulk_update([link for link in kept if link.pk], list(_CHANGING), 500)
    VisitorLink.objects.bulk_create([link for link in kept if not link.pk])
    Visitor.objects.bulk_update(sorted(visitors.values(), key=attrgetter("pk")), ["lead"], 500)
    return [visitor.anonymous_id for visitor in visitors.values()]


def _by_id_alone(user_id: str, claimant: int) -> list[VisitorLink]:
    said = Event.objects.filter(user_id=user_id)
    links = VisitorLink.objects.filter(lead=claimant, event_id__in=said.values("pk"))
    causes = {event.id: event for event in read_events([link.event_id for link in links])}
    return [link for link in links if not email_named_by(causes[link.event_id])]


def _told_apart(register: Register, history: Iterable[VisitorLink]) -> list[VisitorLink]:
    """The links of one browser as they had been drawn: one for each time it was another lead."""
    kept: list[VisitorLink] = []
    for link in history:
        if not kept or register.stands_for(kept[-1].lead_id) != register.stands_for(link.lead_id):
            link.is_flagged = bool(kept)
            kept.append(link)
    return kept


def _own_introductions(
    register: Register, visitors: Iterable[Visitor], claimant: int
) -> list[VisitorLink]:
    """Browsers may have introduced themselves as the claimant while taken for it anyway."""
    by_name = {visitor.anonymous_id: visitor for visitor in visitors}
    said = Event.objects.filter(
        anonymous_id__in=by_name,
        lead=register.stands_for(claimant),
        kind__in=INTRODUCING,
        verdict__lt=Verdict.MACHINE,
    )
    events = read_events(list(said.values_list("pk", flat=True)))
    leads = leads_by_email({email_named_by(event) for event in events} - {""})
    linking = set(
        VisitorLink.objects.filter(visitor__in=by_name.values()).values_list("event_id", flat=True)
    )
    own: dict[str, VisitorLink] = {}
    for event in events:
        if event.id not in linking and leads.get(email_named_by(event)) == claimant:
            link = _link_by(event, by_name[event.anonymous_id], claimant)
            own.setdefault(event.anonymous_id, link)
    return list(own.values())


def _link_by(event: Seen, visitor: Visitor, lead_id: int) -> VisitorLink:
    return VisitorLink(
        visitor=visitor,
        lead_id=lead_id,
        started_at=event.occurred_at,
        reason=identity.reason_of(event),
        event_id=event.id,
    )
