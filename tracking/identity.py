"""Who is it? From what events claim to the lead they belong to.

A trusted source (secret key) is believed: its user ids and e-mail addresses name leads
and make new ones. Whatever else arrives is unauthenticated. A form or an identify call
from a browser may make an unverified lead or fill what is still empty; it never
overwrites, merges, or changes owner, stage or consent of somebody known, beyond the
consent given in that very form. Two known people are never merged: a browser that was
one lead and now says it is another starts a new, flagged link from that moment.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models.functions import Lower

from leads import capture, custom_fields
from leads.actors import Actor
from leads.models import Consent, CustomField, ExternalId, Lead
from leads.refusals import Refused
from leads.stages import Stage
from tracking.channels import Touch
from tracking.claims import Claim, email_in, email_of, read_claim
from tracking.events import FORM_KINDS, MAIL_KINDS
from tracking.models import Visitor, VisitorLink
from tracking.visitors import Known, Seen

USER_IDS = "segment"  # leads.ExternalId.system of the user ids that senders use
BY = Actor.system("Tracking")

_IDENTIFYING = FORM_KINDS | {"identified"}
_WITHDRAWING = frozenset({"email_unsubscribed", "email_marked_as_spam"})
Reason = VisitorLink.Reason


@dataclass(slots=True)
class Register:
    """Everybody whom a batch of events may be about, and what the batch changed.

    `visitors` by anonymous id, `emails` and `users` to lead ids. The changed ones are
    what the caller has to follow up: visitors linked for the first time and user ids
    newly known (their earlier events), leads whose criteria may be met now.
    """

    visitors: dict[str, Known]
    emails: dict[str, int]
    users: dict[str, int]
    custom_fields: dict[str, CustomField]
    first_links: dict[str, int] = field(default_factory=dict)
    new_users: dict[str, int] = field(default_factory=dict)
    to_qualify: set[int] = field(default_factory=set)
    owners: dict[int, int] = field(default_factory=dict)  # event id → lead id, where claimed
    _new_links: list[VisitorLink] = field(default_factory=list)


def open_register(events: list[Seen], visitors: dict[str, Known]) -> Register:
    """Look up everybody in three queries and lock, in the order of their id, the leads that
    these events may change."""
    emails = {_email(event) for event in events} - {""}
    users = {event.user_id for event in events} - {""}
    register = Register(
        visitors,
        _leads_by_email(emails),
        _leads_by_user(users),
        {field.key: field for field in custom_fields.definitions()},
    )
    changing = {
        lead_id
        for event in events
        if event.kind in _IDENTIFYING or event.kind in _WITHDRAWING
        for lead_id in (register.emails.get(_email(event)), register.users.get(event.user_id))
        if lead_id
    }
    if changing:
        list(Lead.objects.select_for_update(no_key=True).filter(pk__in=changing).order_by("pk"))
    return register


def recognise(register: Register, events: Iterable[Seen]) -> None:
    """Take the events in the order they arrived and draw what each says about its person."""
    for event in events:
        if event.is_machine:
            continue
        lead_id = _whom_it_names(register, event)
        if lead_id is None:
            continue
        register.owners[event.id] = lead_id
        _link(register, event, lead_id)
        if event.is_trusted and event.kind in _WITHDRAWING:
            _withdraw_consent(event, lead_id)
    _save_links(register)


def owner_of(register: Register, event: Seen) -> int | None:
    """The lead an event belongs to, after all of its batch were recognised."""
    if event.id in register.owners:
        return register.owners[event.id]
    if event.lead_id is not None:
        return event.lead_id
    visitor = register.visitors.get(event.anonymous_id)
    return visitor.lead_at(event.occurred_at) if visitor else None


def _whom_it_names(register: Register, event: Seen) -> int | None:
    by_user = register.users.get(event.user_id)
    if event.is_trusted and by_user:
        if event.kind == "identified":
            _add_to_profile(register, event, by_user)
        return by_user
    email = _email(event)
    if email and event.kind in _IDENTIFYING:
        return _capture(register, event, email)
    if email and event.is_trusted:
        known = register.emails.get(email) or _capture(register, event, email)
        _remember_user(register, event, known)
        return known
    if email and event.kind in MAIL_KINDS:
        return register.emails.get(email) or by_user
    return by_user


def _email(event: Seen) -> str:
    """The address an event names, where it may count: see docs/events.md."""
    if not (event.is_trusted or event.kind in _IDENTIFYING or event.kind in MAIL_KINDS):
        return ""
    return email_in(event.properties, event.context) or email_of(event.user_id)


def _capture(register: Register, event: Seen, email: str) -> int:
    claim = read_claim(
        event.properties,
        event.context,
        user_id=event.user_id,
        custom_keys=register.custom_fields.keys(),
    )
    is_about_person = event.kind in _IDENTIFYING
    profile = dict(claim.profile) if is_about_person else {}
    visitor = register.visitors.get(event.anonymous_id)
    if not (event.is_trusted and email in register.emails):
        profile |= _touch_fields(event, visitor)
    lead, _is_new = capture.capture_lead(
        by=BY,
        email=email,
        profile=profile,
        custom=_custom_values(register, claim) if is_about_person else {},
        first_seen_at=_first_seen(event, visitor),
        is_verified=event.is_trusted,
    )
    register.emails[email] = lead.pk
    if is_about_person:
        _record_consent(register, event, lead, claim)
        register.to_qualify.add(lead.pk)
        if event.is_trusted:
            _remember_user(register, event, lead.pk)
    return lead.pk


def _read(register: Register, event: Seen) -> Claim:
    keys = register.custom_fields.keys()
    return read_claim(event.properties, event.context, user_id=event.user_id, custom_keys=keys)


def _first_seen(event: Seen, visitor: Known | None) -> datetime:
    """When the person was first here: with the visitor's first event, unless it was another."""
    if visitor is None or visitor.links:
        return event.occurred_at
    return min(visitor.first_seen_at, event.occurred_at)


def _touch_fields(event: Seen, visitor: Known | None) -> dict[str, str]:
    """Channel, source, medium and campaign: of the visitor's first touch, else of the event."""
    if event.kind in MAIL_KINDS:
        campaign = event.properties.get("campaign_name") or event.properties.get("email_subject")
        touch = Touch("email", "", "email", campaign[:200] if isinstance(campaign, str) else "")
    elif visitor is not None and not visitor.links:
        touch = visitor.touch
    elif event.url or event.context.get("campaign"):
        touch = event.touch
    else:
        return {}
    return {**touch._asdict(), "channel": str(touch.channel)}


def _add_to_profile(register: Register, event: Seen, lead_id: int) -> None:
    claim = _read(register, event)
    lead = Lead.objects.select_for_update(no_key=True).get(pk=lead_id)
    capture.augment(lead, claim.profile, _custom_values(register, claim), is_verified=True)
    _record_consent(register, event, lead, claim)
    register.to_qualify.add(lead_id)


def _record_consent(register: Register, event: Seen, lead: Lead, claim: Claim) -> None:
    if not claim.has_consent:
        return
    where = event.url or event.name or event.kind
    capture.record_consent(
        lead,
        purpose=Consent.Purpose.MAIL,
        is_granted=True,
        at=event.occurred_at,
        evidence=f"{event.kind}: {where}",
        cause=f"event {event.id}",
    )


def _withdraw_consent(event: Seen, lead_id: int) -> None:
    capture.record_consent(
        Lead(pk=lead_id),
        purpose=Consent.Purpose.MAIL,
        is_granted=False,
        at=event.occurred_at,
        evidence=event.kind,
        cause=f"event {event.id}",
    )


def _remember_user(register: Register, event: Seen, lead_id: int) -> None:
    """A trusted source's user id names this lead from now on, unless it names another."""
    if not event.user_id or event.user_id in register.users:
        return
    row, _is_new = ExternalId.objects.get_or_create(
        system=USER_IDS, value=event.user_id, defaults={"lead_id": lead_id}
    )
    register.users[event.user_id] = row.lead_id
    register.new_users[event.user_id] = row.lead_id


def _link(register: Register, event: Seen, lead_id: int) -> None:
    visitor = register.visitors.get(event.anonymous_id)
    if visitor is None or visitor.lead_id == lead_id:
        return
    reason = _reason(event)
    is_other = visitor.lead_id is not None
    if is_other and (reason == Reason.MAIL or (reason == Reason.USER_ID and not event.is_trusted)):
        return  # neither is a person saying who they are
    if not is_other:
        register.first_links[visitor.anonymous_id] = lead_id
    visitor.lead_id = lead_id
    visitor.links = sorted([*visitor.links, (event.occurred_at, lead_id)], key=_since)
    register._new_links.append(
        VisitorLink(
            visitor_id=visitor.id,
            lead_id=lead_id,
            started_at=event.occurred_at,
            reason=reason,
            is_flagged=is_other,
            event_id=event.id,
        )
    )


def _reason(event: Seen) -> str:
    if event.kind in FORM_KINDS:
        return Reason.FORM
    if event.kind == "identified":
        return Reason.IDENTIFY
    return Reason.MAIL if event.kind in MAIL_KINDS else Reason.USER_ID


def _since(link: tuple[datetime, int]) -> datetime:
    return link[0]


def _save_links(register: Register) -> None:
    if not register._new_links:
        return
    VisitorLink.objects.bulk_create(register._new_links, ignore_conflicts=True)
    newest = {link.visitor_id: link.lead_id for link in register._new_links}
    visitors = list(Visitor.objects.filter(pk__in=newest).order_by("pk"))
    for visitor in visitors:
        visitor.lead_id = newest[visitor.pk]
    Visitor.objects.bulk_update(visitors, ["lead"])


def _leads_by_email(emails: set[str]) -> dict[str, int]:
    if not emails:
        return {}
    leads = Lead.objects.annotate(lower=Lower("email")).filter(lower__in=emails)
    return dict(leads.exclude(stage=Stage.MERGED).values_list("lower", "pk"))


def _leads_by_user(users: set[str]) -> dict[str, int]:
    if not users:
        return {}
    rows = ExternalId.objects.filter(system=USER_IDS, value__in=users)
    return dict(rows.exclude(lead__stage=Stage.MERGED).values_list("value", "lead_id"))


def _custom_values(register: Register, claim: Claim) -> dict[str, custom_fields.JsonValue]:
    """The claimed values that fit their field's type; the others stay in the event only."""
    values = {}
    for key, raw in claim.custom.items():
        with contextlib.suppress(Refused):
            value = custom_fields.clean_value(register.custom_fields[key], raw)
            if value is not None:
                values[key] = value
    return values
