"""What signed-in colleagues write down about a person: new leads, corrections, owners."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from leads import audit
from leads.actors import Actor
from leads.capture import capture_lead, normalise_email
from leads.known import already_known, refuse_known
from leads.merging_rules import refuse_merged
from leads.models import Account, Lead
from leads.ownership import assign_owner
from leads.refusals import Refused
from leads.signals import profile_changed
from users.models import User
from users.roles import Role

EDITABLE = frozenset(
    {
        *("first_name", "last_name", "title", "phone", "country", "persona", "email"),
        *("channel", "source", "medium", "campaign"),
    }
)


@transaction.atomic
def add_lead(*, by: Actor, email: str, profile: dict, custom: dict, company: str) -> Lead:
    """Write down a new person. A rep becomes the owner; a manager's lead is the team's.

    `custom` holds values that leads/custom_fields.py has cleaned. Raises AlreadyKnown
    when somebody has this e-mail address.
    """
    refuse_known(normalise_email(email) if email else "", by=by)
    lead, was_new = capture_lead(
        by=by,
        email=email,
        profile=profile | {"company": company},
        custom=custom,
        is_verified=True,
    )
    if not was_new:
        raise already_known(lead.email, by=by)
    if company:
        lead.account = account_named(company)
        lead.save(update_fields=["account"])
        profile_changed.send(sender=Lead, lead_ids=[lead.pk])
    if by.user is not None and by.role in (Role.REP, Role.MANAGER):
        owner = by.user if by.role == Role.REP else None
        assign_owner(lead, owner=owner, team=by.user.team, by=by)
    return lead


@transaction.atomic
def edit_lead(
    lead_id: int, *, changes: dict, custom: dict, by: Actor, company: str | None = None
) -> list[str]:
    """Correct what is known about a person; returns the names of the changed fields.

    `custom` replaces the custom values it names; None removes one. `company` moves the
    person to the account of that name; None leaves it alone. Raises AlreadyKnown when the
    new e-mail address is another lead's.
    """
    lead = Lead.objects.select_for_update(no_key=True).get(pk=lead_id)
    refuse_merged(lead)
    before = {name: getattr(lead, name) for name in EDITABLE}
    for name in EDITABLE & changes.keys():
        setattr(lead, name, changes[name])
    if lead.email != before["email"]:
        lead.email = normalise_email(lead.email) if lead.email else ""
        refuse_known(lead.email, by=by, but=lead.pk)
        lead.is_email_verified = bool(lead.email)
    diff = {
        n: [str(before[n]), str(getattr(lead, n))] for n in before if before[n] != getattr(lead, n)
    }
    diff |= _edit_custom(lead, custom) | _edit_company(lead, company)
    if diff:
        _save(lead, diff, by)
        audit.record(by, "edited", object_kind="lead", object_id=lead.pk, changes=diff)
        profile_changed.send(sender=Lead, lead_ids=[lead.pk])
    return list(diff)


@transaction.atomic
def assign_by_hand(lead_id: int, *, owner: User | None, by: Actor, reason: str = "") -> bool:
    """Give a lead to a sales person, or to nobody; returns whether anything changed."""
    if by.role not in (Role.MANAGER, Role.ADMIN):
        raise Refused(_("Only sales managers and admins assign leads."))
    if owner is not None and owner.role not in (Role.REP, Role.MANAGER):
        raise Refused(_("%(name)s does not work in sales.") % {"name": owner})
    own_team = by.user.team_id if by.user is not None else None
    if owner is not None and by.role == Role.MANAGER and owner.team_id != own_team:
        raise Refused(_("%(name)s is not in your team.") % {"name": owner})
    lead = Lead.objects.select_for_update(no_key=True).get(pk=lead_id)
    refuse_merged(lead)
    team = owner.team if owner is not None else lead.team
    return assign_owner(lead, owner=owner, team=team, by=by, reason=reason)


def account_named(name: str) -> Account:
    """The account with this name, whatever the case; a new one when there is none."""
    name = name.strip()[:200]
    account = Account.objects.filter(name__iexact=name).order_by("pk").first()
    return account or Account.objects.create(name=name)


def _edit_custom(lead: Lead, custom: dict) -> dict:
    after = {k: v for k, v in {**lead.custom, **custom}.items() if v is not None}
    if after == lead.custom:
        return {}
    diff = [lead.custom, after]
    lead.custom = after
    return {"custom": diff}


def _edit_company(lead: Lead, name: str | None) -> dict:
    if name is None:
        return {}
    before = {"company": lead.company, "account": lead.account_id}
    lead.company = name.strip()
    lead.account = account_named(name) if name.strip() else None
    after = {"company": lead.company, "account": lead.account_id}
    return {n: [before[n], after[n]] for n in before if before[n] != after[n]}


def _save(lead: Lead, diff: dict, by: Actor) -> None:
    fields = [*diff, *(["is_email_verified"] if "email" in diff else [])]
    try:
        with transaction.atomic():
            lead.save(update_fields=fields)
    except IntegrityError:
        raise already_known(lead.email, by=by) from None
