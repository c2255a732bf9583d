"""An opportunity from SQL to won or lost. Every write to one is here.

Entering SQL opens it, if an import has not opened it in SAL already; it is closed
when its lead leaves for good or bad.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from leads import audit, lifecycle
from leads.actors import Actor
from leads.models import Lead
from leads.refusals import Conflict, Refused
from leads.stages import Stage
from sales.models import Opportunity
from sales.rules import may_work_on

# Stages in which a deal is alive.
ALIVE = (Stage.SAL, Stage.SQL)
# What a rep keeps up to date.
FIELDS = (
    "name",
    "product",
    "amount",
    "currency",
    "probability",
    "expected_close_on",
    "demo_held_on",
    "pricing_sent_on",
    "nda_signed_on",
)


def open_opportunity(lead: Lead, *, at: datetime) -> Opportunity:
    """The opportunity of the lead's current cycle, opened if it is new."""
    opportunity, _was_new = Opportunity.objects.get_or_create(
        lead=lead,
        cycle=lead.cycle,
        defaults={"name": lead.company or lead.name, "opened_at": at},
    )
    return opportunity


@transaction.atomic
def update(opportunity_id: int, changes: dict, *, by: Actor) -> Opportunity:
    """Save changed FIELDS of an open opportunity and log what changed."""
    opportunity, _lead = _locked(opportunity_id, by)
    changed = {
        name: [getattr(opportunity, name), value]
        for name, value in changes.items()
        if name in FIELDS and getattr(opportunity, name) != value
    }
    if not changed:
        return opportunity
    for name, (_before, after) in changed.items():
        setattr(opportunity, name, after)
    opportunity.save(update_fields=list(changed))
    _log(opportunity, "changed", by, changed)
    return opportunity


@transaction.atomic
def win(
    opportunity_id: int, *, by: Actor, reason: str = "", at: datetime | None = None
) -> Opportunity:
    """The contract is signed: the opportunity is won and the lead becomes a Customer."""
    opportunity, lead = _locked(opportunity_id, by)
    _require_stage(lead)
    _close(opportunity, Opportunity.Outcome.WON, by, reason=reason, at=at or now())
    lifecycle.advance(lead.pk, Stage.CUSTOMER, by=by, reason=reason, at=opportunity.closed_at)
    return opportunity


@transaction.atomic
def lose(opportunity_id: int, *, by: Actor, reason: str, at: datetime | None = None) -> Opportunity:
    """The deal is lost, and so is the lead for now; a new cycle may begin later."""
    opportunity, lead = _locked(opportunity_id, by)
    _require_stage(lead)
    _close(opportunity, Opportunity.Outcome.LOST, by, reason=reason, at=at or now())
    lifecycle.lose(lead.pk, by=by, reason=reason, at=opportunity.closed_at)
    return opportunity


def open_opportunities(leads: Sequence[Lead]) -> None:
    """The same for a batch of leads: in SQL without an opportunity, one is opened."""
    Opportunity.objects.bulk_create(
        (
            Opportunity(
                lead=lead,
                cycle=lead.cycle,
                name=lead.company or lead.name,
                opened_at=lead.stage_entered_at or now(),
            )
            for lead in leads
        ),
        ignore_conflicts=True,
    )


def close_left_behind(lead: Lead, *, by: Actor, reason: str) -> None:
    """Close what is still open when a locked lead went on, or away, by another door."""
    if lead.stage in ALIVE:
        return
    for opportunity in Opportunity.objects.open().filter(lead=lead):
        # An import may tell of a customer and of the end of that at once.
        bought = lead.episodes.filter(cycle=opportunity.cycle, stage=Stage.CUSTOMER).first()
        outcome = Opportunity.Outcome.WON if bought else Opportunity.Outcome.LOST
        at = bought.entered_at if bought else lead.stage_entered_at
        _close(opportunity, outcome, by, reason=reason, at=at)


def _locked(opportunity_id: int, by: Actor) -> tuple[Opportunity, Lead]:
    """Both rows, locked (the lead first, as everywhere), if `by` may work on them."""
    lead_id = Opportunity.objects.values_list("lead_id", flat=True).get(pk=opportunity_id)
    lead = Lead.objects.select_for_update(no_key=True).get(pk=lead_id)
    opportunity = Opportunity.objects.select_for_update(no_key=True).get(pk=opportunity_id)
    if by.user is not None and not may_work_on(by.user, lead):
        raise Refused(_("Only the owner, the team's manager or an admin works on an opportunity."))
    if not opportunity.is_open:
        raise Conflict(
            _("%(name)s is %(outcome)s already and stays as it is.")
            % {"name": opportunity.name, "outcome": opportunity.get_outcome_display()}
        )
    return opportunity, lead


def _require_stage(lead: Lead) -> None:
    if lead.stage != Stage.SQL:
        raise Refused(
            _("%(name)s is in stage %(stage)s; only an SQL can be won or lost.")
            % {"name": lead.name, "stage": lead.get_stage_display()}
        )


def _close(
    opportunity: Opportunity, outcome: str, by: Actor, *, reason: str, at: datetime | None
) -> None:
    opportunity.outcome, opportunity.reason = outcome, reason.strip()
    opportunity.closed_at = max(at or now(), opportunity.opened_at)
    opportunity.save(update_fields=["outcome", "reason", "closed_at"])
    _log(opportunity, outcome, by, {}, reason=opportunity.reason)


def _log(opportunity: Opportunity, verb: str, by: Actor, changed: dict, reason: str = "") -> None:
    audit.record(
        by,
        verb,
        object_kind="opportunity",
        object_id=opportunity.pk,
        changes={name: [str(value) for value in pair] for name, pair in changed.items()},
        reason=reason,
    )
