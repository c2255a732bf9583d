"""How a person becomes a lead, and how more becomes known about them."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from leads import accounts, criteria, lifecycle
from leads.actors import Actor
from leads.emails import normalised
from leads.models import Consent, Lead
from leads.refusals import Refused
from leads.signals import lead_captured, profile_changed
from leads.stages import Stage
from leads.standing import ensure_standings
from leads.survivors import merged_with_email, spelled

# What a browser, a form or an import may fill in.
PROFILE_FIELDS = (
    "first_name",
    "last_name",
    "title",
    "phone",
    "company",
    "country",
    "channel",
    "source",
    "medium",
    "campaign",
    "persona",
)


# They mean nothing apart: all are taken of one touch, or none.
ORIGIN = ("channel", "source", "medium", "campaign")


def normalise_email(text: str) -> str:
    """The one spelling of it; raises Refused when it is no e-mail address."""
    email = normalised(text)
    if not email:
        raise Refused(_("“%(text)s” is not an e-mail address.") % {"text": text[:100]})
    return email


@transaction.atomic
def capture_lead(
    *,
    by: Actor,
    email: str = "",
    profile: dict | None = None,
    custom: dict | None = None,
    first_seen_at: datetime | None = None,
    is_verified: bool = False,
) -> tuple[Lead, bool]:
    """Find the lead with this e-mail address, or whom it was merged into, or create it.
    Returns (lead, was created).

    Verified input (of a signed-in colleague, a server key) overwrites and verifies an existing
    lead; other input only fills what is empty of one that is not verified. Locks the lead's row.
    """
    email = normalise_email(email) if email else ""
    fields = {k: v for k, v in (profile or {}).items() if k in PROFILE_FIELDS and v}
    existing = _find(email)
    if existing is None:
        lead = _create(email, fields, custom or {}, is_verified)
        if lead is not None:
            lifecycle.begin(lead, by=by, at=min(first_seen_at or now(), now()))
            ensure_standings([lead.pk])
            accounts.join_by_address(lead, is_verified=is_verified)
            lead_captured.send(sender=Lead, lead=lead)
            profile_changed.send(sender=Lead, lead_ids=[lead.pk])
            return lead, True
        existing = _find(email)
        assert existing is not None
    if is_verified and existing.email.lower() == email and not existing.is_email_verified:
        existing.is_email_verified = True
        existing.save(update_fields=["is_email_verified"])
    augment(existing, fields, custom or {}, is_verified=is_verified)
    return existing, False


def _find(email: str) -> Lead | None:
    """The lead that this address stands for, locked."""
    if not email:
        return None
    lead = spelled(email).exclude(stage=Stage.MERGED).select_for_update(no_key=True).first()
    if lead is not None or (survivor_id := merged_with_email(email)) is None:
        return lead
    lead = Lead.objects.select_for_update(no_key=True).get(pk=survivor_id)
    # Merged away itself in this very moment: look again.
    return _find(email) if lead.stage == Stage.MERGED else lead


def _create(email: str, fields: dict, custom: dict, is_verified: bool) -> Lead | None:
    """None when a concurrent capture of the same address was faster."""
    try:
        with transaction.atomic():
            return Lead.objects.create(
                email=email, is_email_verified=is_verified and bool(email), custom=custom, **fields
            )
    except IntegrityError:
        if not email:
            raise
        return None


def augment(lead: Lead, fields: dict, custom: dict, *, is_verified: bool) -> list[str]:
    """Add what is newly known to a locked lead; returns the names of the changed fields.

    What is not verified adds nothing to somebody verified: any visitor could say it.
    """
    if lead.is_email_verified and not is_verified:
        fields, custom = {}, {}
    if not all(_is_blank(lead, name) for name in ORIGIN):
        fields = {name: value for name, value in fields.items() if name not in ORIGIN}
    changed = [
        name
        for name, value in fields.items()
        if value != getattr(lead, name) and (is_verified or _is_blank(lead, name))
    ]
    for name in changed:
        setattr(lead, name, fields[name])
    merged = {**custom, **lead.custom} if not is_verified else {**lead.custom, **custom}
    if merged != lead.custom:
        lead.custom = merged
        changed.append("custom")
    if changed:
        lead.save(update_fields=changed)
    if accounts.join_by_address(lead, is_verified=is_verified):
        changed.append("account")
    if changed:
        profile_changed.send(sender=Lead, lead_ids=[lead.pk])
    return changed


def _is_blank(lead: Lead, name: str) -> bool:
    return getattr(lead, name) in ("", "unknown", None)


def record_consent(
    lead: Lead, *, purpose: str, is_granted: bool, at: datetime, evidence: str, cause: str
) -> bool:
    """Write down one consent or withdrawal; once per cause. Returns whether it was new."""
    _consent, was_new = Consent.objects.get_or_create(
        lead=lead,
        purpose=purpose,
        cause=cause,
        defaults={"is_granted": is_granted, "given_at": at, "evidence": evidence[:500]},
    )
    return was_new


def qualify_when_ready(lead_id: int, *, by: Actor) -> bool:
    """Advance a Lead to Qualified lead if its criteria are met now. Returns whether it moved."""
    lead = Lead.objects.get(pk=lead_id)
    if lead.stage != Stage.LEAD or not all(r.is_met for r in criteria.evaluate(lead)):
        return False
    lifecycle.advance(lead_id, Stage.QUALIFIED, by=by)
    return True
