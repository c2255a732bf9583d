"""Who is it? From what events claim to the lead they belong to.

A trusted source (secret key) is believed: its user ids and e-mail addresses name leads
and make new ones. Whatever else arrives is unauthenticated: a user id it claims names the
claimant in what is unauthenticated itself, and only as long as no trusted source says whose it is
(tracking/overruling.py). A form or an identify call
from a browser may make an unverified lead or fill what is still empty; it never
overwrites, merges, or changes owner, stage or consent of somebody known, beyond the
consent given in that very form. Two known people are never merged: a browser that was
one lead and now says it is another starts a new, flagged link from that moment. So does a browser
that says it is somebody verified: what it did before is that person's once a trusted source agrees.

Only a colleague says that two leads are one (leads/merging.py). Ids and links then go on
naming the lead they always named, and events go to the one that it stands for.
"""

from __future__ import annotations

from collections.abc import Iterable

from tracking import aliases, groups
from tracking.events import FORM_KINDS, MAIL_KINDS
from tracking.introductions import add_to_profile, capture_named, withdraw_consent
from tracking.models import VisitorLink
from tracking.register import INTRODUCING, WITHDRAWING, Register, email_named_by, write_down
from tracking.visitors import Seen

Reason = VisitorLink.Reason


def recognise(register: Register, events: Iterable[Seen]) -> None:
    """Take the events in the order they happened and draw what each says about its person."""
    for event in events:
        named = _known_by_name if event.is_machine else _whom_it_names
        if event.previous_id and not event.is_machine:
            aliases.say(register, event)
        lead_id = named(register, event)
        if event.kind == groups.JOINED and not event.is_machine:
            _place(register, event, lead_id)
        if lead_id is None:
            continue
        register.owners[event.id] = register.stands_for(lead_id)
        if not event.is_machine:
            _draw(register, event, lead_id)
    aliases.draw_earlier(register)
    write_down(register)


def _place(register: Register, event: Seen, named: int | None) -> None:
    lead_id = named or _by_habit(register, event)
    if lead_id is not None:
        groups.join(register, event, lead_id)


def _draw(register: Register, event: Seen, lead_id: int) -> None:
    _link(register, event, lead_id)
    if event.is_trusted and event.kind in WITHDRAWING:
        withdraw_consent(event, register.stands_for(lead_id))


def owner_of(register: Register, event: Seen) -> int | None:
    """The lead an event belongs to, after all of its batch were recognised."""
    if event.id in register.owners:
        return register.owners[event.id]
    if event.lead_id is not None:
        return register.stands_for(event.lead_id)
    return _by_habit(register, event)


def owner_by_names(register: Register, event: Seen) -> int | None:
    """The lead an event belongs to by its visitor and the names in it alone. Changes nothing."""
    named = by_user = register.named_by_user(event)
    if not (event.is_trusted and by_user):
        named = register.emails.get(email_named_by(event)) or by_user
    if named and register.is_out_of_time(event, named):
        named = None
    if event.is_machine and not event.is_trusted:
        named = None
    return register.stands_for(named) if named else _by_habit(register, event)


def _by_habit(register: Register, event: Seen) -> int | None:
    """By what the visitor or the user was taken for, when the event itself names nobody."""
    visitor = register.visitors.get(event.anonymous_id)
    by_visitor = visitor.lead_at(event.occurred_at) if visitor else None
    lead_id = by_visitor or register.named_by_user(event)
    return register.stands_for(lead_id) if lead_id else None


def _whom_it_names(register: Register, event: Seen) -> int | None:
    by_user = register.named_by_user(event)
    if event.is_trusted and by_user:
        if event.kind == "identified":
            add_to_profile(register, event, by_user)
        return by_user
    email = email_named_by(event)
    if email in register.emails and register.is_out_of_time(event, register.emails[email]):
        return None
    if email and event.kind in INTRODUCING:
        return capture_named(register, event, email)
    if email and event.is_trusted:
        known = register.emails.get(email) or capture_named(register, event, email)
        register.remember_user(event, known)
        return known
    return by_user


def tells_profile(register: Register, event: Seen) -> bool:
    """Whether the event adds to the profile of the lead that it names."""
    if event.is_machine or event.kind not in INTRODUCING:
        return False
    if event.is_trusted and register.named_by_user(event):
        return event.kind == "identified"
    return bool(email_named_by(event))


def _known_by_name(register: Register, event: Seen) -> int | None:
    """For a machine: evidence on the timeline of somebody known, and nothing more."""
    if event.is_trusted:
        return register.named_by_user(event) or register.emails.get(email_named_by(event))
    return None


def _link(register: Register, event: Seen, lead_id: int) -> None:
    visitor = register.visitors.get(event.anonymous_id)
    if visitor is None:
        return
    if visitor.lead_id and register.stands_for(visitor.lead_id) == register.stands_for(lead_id):
        if event.is_trusted:
            register.confirm(visitor)
        return
    reason = reason_of(event)
    is_other = visitor.lead_id is not None
    if is_other and (reason == Reason.MAIL or (reason == Reason.USER_ID and not event.is_trusted)):
        return  # neither is a person saying who they are
    register.link(
        visitor,
        lead_id,
        at=event.occurred_at,
        reason=reason,
        event_id=event.id,
        is_trusted=event.is_trusted,
    )


def reason_of(event: Seen) -> str:
    """The VisitorLink.Reason of a link that this event makes."""
    if event.kind in FORM_KINDS:
        return Reason.FORM
    if event.kind == "identified":
        return Reason.IDENTIFY
    return Reason.MAIL if event.kind in MAIL_KINDS else Reason.USER_ID
