"""Somebody introduces themselves: what a form or an identify call says becomes a lead."""

from __future__ import annotations

import contextlib
from datetime import datetime

from leads import capture, custom_fields
from leads.actors import Actor
from leads.merging_claims import Said
from leads.models import Consent, Lead
from leads.refusals import Refused
from tracking.channels import Touch
from tracking.claims import Claim, read_claim
from tracking.events import MAIL_KINDS
from tracking.register import INTRODUCING, Register
from tracking.visitors import Known, Seen

BY = Actor.system("Tracking")


def capture_named(register: Register, event: Seen, email: str) -> int:
    """The id of the lead with this address, made or added to as far as the event may.

    It may be merged: what it says is added to the lead that it stands for.
    """
    claim = _read(register, event)
    is_about_person = event.kind in INTRODUCING
    profile = dict(claim.profile) if is_about_person else {}
    visitor = register.visitors.get(event.anonymous_id)
    if not (event.is_trusted and email in register.emails):
        profile |= _touch_fields(event, visitor)
    lead, is_new = capture.capture_lead(
        by=BY,
        email=email,
        profile=profile,
        custom=_custom_values(register, claim) if is_about_person else {},
        first_seen_at=_first_seen(event, visitor),
        is_verified=event.is_trusted,
    )
    named = register.emails.get(email)
    if named is None or register.stands_for(named) != lead.pk:
        named = register.emails[email] = lead.pk
    if is_about_person:
        if is_new or _may_move(event):
            _record_consent(register, event, lead, claim)
            register.to_qualify.add(lead.pk)
        register.remember_user(event, named)
    return named


def _may_move(event: Seen) -> bool:
    """A form is an act of the person. What a browser merely says about somebody who is known
    already changes neither their consent nor their stage."""
    return event.is_trusted or event.kind != "identified"


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


def add_to_profile(register: Register, event: Seen, lead_id: int) -> None:
    """What a trusted source says about a user it named before."""
    claim = _read(register, event)
    lead = Lead.objects.select_for_update(no_key=True).get(pk=register.stands_for(lead_id))
    capture.augment(lead, claim.profile, _custom_values(register, claim), is_verified=True)
    _record_consent(register, event, lead, claim)
    register.to_qualify.add(lead.pk)


def said_in(register: Register, event: Seen) -> Said:
    """What an introduction tells of its person's profile."""
    claim = _read(register, event)
    return Said(claim.profile, _custom_values(register, claim), event.is_trusted)


def _record_consent(register: Register, event: Seen, lead: Lead, claim: Claim) -> None:
    if not claim.has_consent or not _may_grant(event, lead):
        return
    where = event.url or event.name or event.kind
    capture.record_consent(
        lead,
        purpose=Consent.Purpose.MAIL,
        is_granted=True,
        at=event.occurred_at,
        evidence=f"{event.kind}: {where}{'' if event.is_trusted else ' (told by a browser)'}",
        cause=f"event {event.id}",
    )


def _may_grant(event: Seen, lead: Lead) -> bool:
    """Anybody can send what a browser sends: it never changes an answer once given."""
    return event.is_trusted or not lead.consents.filter(purpose=Consent.Purpose.MAIL).exists()


def withdraw_consent(event: Seen, lead_id: int) -> None:
    """The person wants no more mail; recorded once per event."""
    capture.record_consent(
        Lead(pk=lead_id),
        purpose=Consent.Purpose.MAIL,
        is_granted=False,
        at=event.occurred_at,
        evidence=event.kind,
        cause=f"event {event.id}",
    )


def _custom_values(register: Register, claim: Claim) -> dict[str, custom_fields.JsonValue]:
    """The claimed values that fit their field's type; the others stay in the event only."""
    values = {}
    for key, raw in claim.custom.items():
        with contextlib.suppress(Refused):
            value = custom_fields.clean_value(register.custom_fields[key], raw)
            if value is not None:
                values[key] = value
    return values
