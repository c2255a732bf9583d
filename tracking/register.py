"""Everybody whom a batch of events may be about, looked up at once and saved at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter

from leads import custom_fields
from leads.models import CustomField, ExternalId, Lead
from leads.survivors import leads_by_email, survivors_of
from leads.touches import Acquaintance, verified_among
from tracking.claims import email_in, email_of
from tracking.events import FORM_KINDS
from tracking.models import Alias, Event, Visitor, VisitorLink
from tracking.visitors import Known, Link, Seen

# leads.ExternalId.system of user ids: vouched for by a secret key, or only claimed in public.
VOUCHED, CLAIMED = "segment", "segment_claimed"

# Somebody says who they are; somebody wants no more mail.
INTRODUCING = FORM_KINDS | {"identified"}
WITHDRAWING = frozenset({"email_unsubscribed", "email_marked_as_spam"})
# What a browser did reaches us later than what a server says of it.
BROWSERS_ARE_LATE = timedelta(days=1)


@dataclass(slots=True)
class Register:
    """`visitors` by anonymous id, `emails` and `users` to lead ids, and what a batch changed.

    All of them name the lead that they always named; `survivors` says whom a merged one
    stands for. So what came by an id goes back with it when a merge is taken apart.

    The caller follows up: visitors linked for the first time and user ids newly known
    (their earlier events), leads whose criteria may be met now.
    """

    visitors: dict[str, Known]
    emails: dict[str, int]
    users: dict[str, int]
    vouched_users: set[str]
    custom_fields: dict[str, CustomField]
    survivors: dict[int, int] = field(default_factory=dict)
    owners: dict[int, int] = field(default_factory=dict)  # event id → lead id, where claimed
    first_links: dict[str, int] = field(default_factory=dict)  # anonymous id → lead id
    # Of these, links that do not reach back: anonymous id → since when it is that lead.
    linked_since: dict[str, datetime] = field(default_factory=dict)
    new_users: dict[str, int] = field(default_factory=dict)  # user id → lead id
    # Vouched for in this batch, and only claimed before: user id → lead id of the claimant.
    overruled: dict[str, int] = field(default_factory=dict)
    new_ids: list[ExternalId] = field(default_factory=list)
    new_links: list[VisitorLink] = field(default_factory=list)
    vouched_links: set[tuple[int, int | None]] = field(default_factory=set)
    confirmed: dict[int, int] = field(default_factory=dict)  # visitor id → lead id, trusted now
    # Leads that a trusted source or a colleague named before → since when they are known.
    verified: dict[int, Acquaintance] = field(default_factory=dict)
    to_qualify: set[int] = field(default_factory=set)
    aliases: list[Alias] = field(default_factory=list)
    aliased: set[str] = field(default_factory=set)  # ids that earlier aliases were looked up of

    def stands_for(self, lead_id: int) -> int:
        """The lead that this one is today."""
        return self.survivors.get(lead_id, lead_id)

    def learn(self, lead_ids: Iterable[int]) -> None:
        """Look up whom these leads stand for, and which of them are verified."""
        ids = set(lead_ids)
        self.survivors |= survivors_of(ids)
        self.verified |= verified_among(self.stands_for(lead_id) for lead_id in ids)

    def is_verified(self, lead_id: int) -> bool:
        return self.stands_for(lead_id) in self.verified

    def is_out_of_time(self, event: Seen, lead_id: int) -> bool:
        """Whether only a public key says that somebody verified was here before they were known."""
        known = self.verified.get(self.stands_for(lead_id))
        if event.is_trusted or known is None:
            return False
        if known.first_touch_at:
            return event.occurred_at < known.first_touch_at
        # What was stored before they were named is a past like any visitor's.
        return event.occurred_at + BROWSERS_ARE_LATE < known.added_at < event.received_at

    def first_touch_of_verified(self, lead_id: int) -> datetime | None:
        known = self.verified.get(lead_id)
        return known.first_touch_at if known else None

    def named_by_user(self, event: Seen) -> int | None:
        """The lead that the event's user id names."""
        lead_id = self.lead_named(event.user_id, is_trusted=event.is_trusted)
        return None if lead_id is None or self.is_out_of_time(event, lead_id) else lead_id

    def lead_named(self, user_id: str, *, is_trusted: bool) -> int | None:
        """The lead that a user id names. What a trusted source sends follows no mere claim, or
        whoever has a public key could have it."""
        if is_trusted and user_id not in self.vouched_users:
            return None
        return self.users.get(user_id)

    def remember_user(self, event: Seen, lead_id: int) -> None:
        """The event's user id names this lead from now on.

        What a trusted source said is never changed, and what others said only by one.
        """
        self.name_user(event.user_id, lead_id, is_trusted=event.is_trusted)

    def name_user(self, user_id: str, lead_id: int, *, is_trusted: bool) -> None:
        """The same of any user id."""
        known = self.vouched_users if is_trusted else self.users
        if not user_id or user_id in known:
            return
        if is_trusted:
            self.vouched_users.add(user_id)
            if user_id in self.users:
                self.overruled[user_id] = self.users[user_id]
        self.users[user_id] = lead_id
        self.new_users[user_id] = self.stands_for(lead_id)
        system = VOUCHED if is_trusted else CLAIMED
        self.new_ids.append(ExternalId(system=system, value=user_id, lead_id=lead_id))

    def link(
        self,
        visitor: Known,
        lead_id: int,
        *,
        at: datetime,
        reason: str,
        event_id: int,
        is_trusted: bool,
    ) -> None:
        """The visitor is this lead from that instant on. The first link brings along what it did
        before, unless only a public key says so of somebody verified; a later one says it is
        somebody else, and is flagged."""
        is_flagged = visitor.lead_id is not None
        reaches_back = is_trusted or not self.is_verified(lead_id)
        if not is_flagged:
            self.first_links[visitor.anonymous_id] = self.stands_for(lead_id)
            if not reaches_back:
                self.linked_since[visitor.anonymous_id] = at
        visitor.lead_id = lead_id
        if is_trusted:
            self.vouched_links.add((visitor.id, lead_id))
        link = Link(at, lead_id, reaches_back)
        visitor.links = sorted([*visitor.links, link], key=attrgetter("since"))
        self.new_links.append(
            VisitorLink(
                visitor_id=visitor.id,
                lead_id=lead_id,
                started_at=at,
                reason=reason,
                is_flagged=is_flagged,
                reaches_back=reaches_back,
                event_id=event_id,
            )
        )

    def is_vouched(self, visitor: Known) -> bool:
        """Whether a trusted source, not only a public key, said which lead the visitor is."""
        if (visitor.id, visitor.lead_id) in self.vouched_links:
            return True
        said = VisitorLink.objects.filter(visitor=visitor.id, lead=visitor.lead_id)
        events = said.values("event_id")
        return Event.objects.filter(pk__in=events, is_trusted=True).exists()

    def confirm(self, visitor: Known) -> None:
        """A trusted source says who the visitor is taken for: what it did before counts now."""
        first = visitor.links[0]
        if first.reaches_back or self.stands_for(first.lead_id) != self.stands_for(
            visitor.lead_id or first.lead_id
        ):
            return
        visitor.links[0] = first._replace(reaches_back=True)
        self.first_links[visitor.anonymous_id] = self.stands_for(first.lead_id)
        self.linked_since.pop(visitor.anonymous_id, None)
        self.confirmed[visitor.id] = first.lead_id

    def add_visitors(self, visitors: dict[str, Known]) -> None:
        """Visitors that no event of this batch names."""
        self.visitors |= visitors
        self.learn(_leads_linked(visitors))

    def add_users(self, vouched: dict[str, int], claimed: dict[str, int]) -> None:
        self.users = {**claimed, **vouched, **self.users}
        self.vouched_users |= vouched.keys()
        self.learn({*vouched.values(), *claimed.values()})


def open_register(
    events: list[Seen], visitors: dict[str, Known], *, is_reading: bool = False
) -> Register:
    """Look up everybody in a handful of queries and, unless this is only to read, lock in the
    order of their id the leads that these events may change."""
    emails = {email_named_by(event) for event in events} - {""}
    ids = {named for event in events for named in (event.user_id, event.previous_id)}
    vouched, claimed = users_known(ids - {""})
    register = Register(
        visitors,
        leads_by_email(emails),
        {**claimed, **vouched},
        set(vouched),
        {field.key: field for field in custom_fields.definitions()},
    )
    register.learn({*_leads_linked(visitors), *register.emails.values(), *register.users.values()})
    if not is_reading:
        _lock_changing(register, events)
    return register


def _lock_changing(register: Register, events: list[Seen]) -> None:
    changing = {
        register.stands_for(lead_id)
        for event in events
        if event.kind in INTRODUCING or event.kind in WITHDRAWING
        for lead_id in (
            register.emails.get(email_named_by(event)),
            register.users.get(event.user_id),
        )
        if lead_id
    }
    if changing:
        list(Lead.objects.select_for_update(no_key=True).filter(pk__in=changing).order_by("pk"))


def email_named_by(event: Seen) -> str:
    """The address an event names, where it may count: see docs/events.md."""
    if not (event.is_trusted or event.kind in INTRODUCING):
        return ""
    return email_in(event.properties, event.context) or email_of(event.user_id)


def write_down(register: Register) -> None:
    """Write the new links, user ids and aliases."""
    _save_links(register)
    _save_users(register)
    Alias.objects.bulk_create(register.aliases, ignore_conflicts=True)


def _save_links(register: Register) -> None:
    VisitorLink.objects.bulk_create(register.new_links, ignore_conflicts=True)
    for visitor_id, lead_id in sorted(register.confirmed.items()):
        VisitorLink.objects.filter(visitor=visitor_id, lead=lead_id).update(reaches_back=True)
    if not register.new_links:
        return
    newest = {link.visitor_id: link.lead_id for link in register.new_links}
    visitors = list(Visitor.objects.filter(pk__in=newest).order_by("pk"))
    for visitor in visitors:
        visitor.lead_id = newest[visitor.pk]
    Visitor.objects.bulk_update(visitors, ["lead"])


def _save_users(register: Register) -> None:
    register.new_ids.sort(key=lambda row: (row.system, row.value))
    ExternalId.objects.bulk_create(register.new_ids, ignore_conflicts=True)


def _leads_linked(visitors: dict[str, Known]) -> set[int]:
    return {link.lead_id for visitor in visitors.values() for link in visitor.links}


def users_known(users: set[str]) -> tuple[dict[str, int], dict[str, int]]:
    """User id → lead id: vouched for, and claimed."""
    found: dict[str, dict[str, int]] = {VOUCHED: {}, CLAIMED: {}}
    if users:
        rows = ExternalId.objects.filter(system__in=found, value__in=users)
        for system, value, lead_id in rows.values_list("system", "value", "lead_id"):
            found[system][value] = lead_id
    return found[VOUCHED], found[CLAIMED]
