"""What the exit criteria of MQL, SAL and SQL mean (registered with leads/criteria.py)."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from leads import criteria, merging_queries, merging_rules
from leads.models import Lead
from sales.bant import newest_answers
from sales.models import Handoff, Opportunity

State, Outcome = Handoff.State, Opportunity.Outcome


def handoff_accepted(lead: Lead, params: dict) -> criteria.Verdict:
    """A rep has accepted the hand-off of this cycle."""
    handoffs = Handoff.objects.filter(lead=lead, cycle=lead.cycle)
    handoff = handoffs.select_related("assignee", "decided_by", "team").first()
    if handoff is None:
        return None, _("No hand-off is open.")
    if handoff.state == State.ACCEPTED:
        return True, _("%(who)s accepted the hand-off.") % {"who": handoff.decided_by or _("Sales")}
    if not handoff.is_open:
        return False, _("The hand-off was %(state)s.") % {"state": handoff.get_state_display()}
    if handoff.assignee:
        return False, _("%(who)s has not decided yet.") % {"who": handoff.assignee}
    return False, _("Nobody has taken the hand-off out of the queue yet.")


def bant_minimum(lead: Lead, params: dict) -> criteria.Verdict:
    """At least params["minimum"] of the four BANT answers are met; 3 unless set."""
    minimum = _minimum(params)
    met = [line for line in newest_answers(lead) if line.is_met]
    sentence = ngettext(
        "%(count)d of %(minimum)d BANT answers is met",
        "%(count)d of %(minimum)d BANT answers are met",
        len(met),
    ) % {"count": len(met), "minimum": minimum}
    names = ", ".join(str(line.label).lower() for line in met)
    return len(met) >= minimum, f"{sentence}: {names}." if names else f"{sentence}."


def opportunity_won(lead: Lead, params: dict) -> criteria.Verdict:
    """The opportunity of this cycle is won."""
    opportunity = Opportunity.objects.filter(lead=lead, cycle=lead.cycle).first()
    if opportunity is None:
        return None, _("No opportunity is open.")
    if opportunity.outcome == Outcome.WON:
        return True, _("The opportunity is won.")
    if opportunity.outcome == Outcome.LOST:
        return False, _("The opportunity is lost.")
    return False, _("The opportunity is still open.")


def open_opportunity_stands_against_merging(lead: Lead) -> str:
    """Why a lead with an open opportunity is not merged away; "" when it has none."""
    deal = Opportunity.objects.open().filter(lead=lead).first()
    if deal is None:
        return ""
    names = {"name": lead.name, "deal": deal.name}
    return (
        _("%(name)s has the open opportunity “%(deal)s”: keep %(name)s instead, or close it first.")
        % names
    )


def what_merging_withdraws(survivor: Lead, loser: Lead) -> list[str]:
    """For the merge page: the hand-off of a lead that is merged away."""
    waiting = Handoff.objects.open().filter(lead=loser).select_related("assignee").first()
    if waiting is None:
        return []
    if waiting.assignee is None:
        return [_("The hand-off of %(loser)s is withdrawn.") % {"loser": loser.name}]
    names = {"loser": loser.name, "who": waiting.assignee}
    return [_("The hand-off of %(loser)s to %(who)s is withdrawn.") % names]


def _minimum(params: dict) -> int:
    """Admins type the settings; nonsense asks for the usual three."""
    minimum = params.get("minimum", 3)
    return minimum if isinstance(minimum, int) and 0 < minimum <= 4 else 3


def register_kinds() -> None:
    merging_rules.register_objection(open_opportunity_stands_against_merging)
    merging_queries.register_consequences(what_merging_withdraws)
    criteria.register("handoff_accepted", gettext_lazy("Hand-off accepted"), handoff_accepted)
    criteria.register(
        "bant_minimum",
        gettext_lazy("BANT answers"),
        bant_minimum,
        criteria.takes_number("minimum", 1, 4),
    )
    criteria.register("opportunity_won", gettext_lazy("Opportunity won"), opportunity_won)
