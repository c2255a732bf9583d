"""A lead's sales panel, the pipeline and the customers."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from leads.actors import Actor
from leads.models import Lead
from leads.refusals import Conflict, Refused
from leads.stages import Stage
from sales import bant, opportunities, queries
from sales import handoff as handoffs
from sales.forms import BantForm, OpportunityForm, OutcomeForm
from sales.models import Opportunity
from sales.rules import may_decide, may_propose, may_work_on
from users.requests import PageRequest


def _visible_lead(request: PageRequest, pk: int) -> Lead:
    leads = Lead.objects.visible_to(request.user).select_related("owner", "team")
    return get_object_or_404(leads.defer("search"), pk=pk)


@require_GET
@vary_on_headers("HX-Request")
def lead_panel(request: PageRequest, pk: int) -> HttpResponse:
    """Hand-offs, BANT and opportunity of one lead: a fragment for its page, or a page."""
    return _panel(request, _visible_lead(request, pk))


def _panel(
    request: PageRequest, lead: Lead, *, status: int = 200, refusal: str = "", **forms
) -> HttpResponse:
    history = queries.handoffs_of(lead)
    opportunity = queries.opportunity_of(lead)
    lines = bant.newest_answers(lead)
    waiting = next((h for h in history if h.is_open), None)
    is_proposed = any(h.cycle == lead.cycle for h in history)
    can_work = may_work_on(request.user, lead)
    context = {
        "lead": lead,
        "refusal": refusal,
        "handoffs": history,
        "waiting": waiting,
        "can_decide": waiting is not None and may_decide(request.user, waiting),
        "can_propose": lead.stage == Stage.MQL
        and not is_proposed
        and may_propose(request.user.role),
        "lines": lines,
        "asks_bant": can_work and lead.stage in bant.WITH_SALES,
        "bant_form": BantForm(lines),
        "opportunity": opportunity,
        "can_work": can_work,
        "opportunity_form": OpportunityForm(instance=opportunity) if opportunity else None,
        **forms,
    }
    template = "sales/lead_panel.html#panel" if request.htmx else "sales/lead_panel.html"
    return render(request, template, context, status=status)


def _write(request: PageRequest, lead: Lead, write: Callable[[], str], **forms) -> HttpResponse:
    """Do it and go back to the lead; a refusal answers with the panel and the sentence."""
    try:
        messages.success(request, write())
    except Refused as refusal:
        status = 409 if isinstance(refusal, Conflict) else 422
        return _panel(request, lead, status=status, refusal=str(refusal), **forms)
    response = HttpResponseRedirect(reverse("leads:lead", args=[lead.pk]))
    response.status_code = 303
    return response


@require_POST
def proposal(request: PageRequest, pk: int) -> HttpResponse:
    """Propose an MQL that has no hand-off yet."""
    lead = _visible_lead(request, pk)

    def write() -> str:
        handoff = handoffs.submit_by_hand(lead.pk, by=Actor.of(request.user))
        return _("Proposed to %(who)s.") % {"who": handoff.assignee or handoff.team or _("sales")}

    return _write(request, lead, write)


@require_POST
def bant_answers(request: PageRequest, pk: int) -> HttpResponse:
    lead = _visible_lead(request, pk)
    form = BantForm(bant.newest_answers(lead), request.POST)
    if not form.is_valid():
        return _panel(request, lead, status=422, refusal=_not_understood(), bant_form=form)

    def write() -> str:
        bant.record_answers(lead.pk, form.changed_answers(), by=Actor.of(request.user))
        return _("BANT answers saved.")

    return _write(request, lead, write, bant_form=form)


def _opportunity(request: PageRequest, pk: int) -> Opportunity:
    visible = Opportunity.objects.visible_to(request.user)
    return get_object_or_404(visible.select_related("lead__owner"), pk=pk)


@require_POST
def opportunity(request: PageRequest, pk: int) -> HttpResponse:
    found = _opportunity(request, pk)
    lead = found.lead
    form = OpportunityForm(request.POST, instance=_opportunity(request, pk))
    if not form.is_valid():
        return _panel(request, lead, status=422, refusal=_not_understood(), opportunity_form=form)

    def write() -> str:
        opportunities.update(found.pk, form.cleaned_data, by=Actor.of(request.user))
        return _("Opportunity saved.")

    return _write(request, lead, write, opportunity_form=form)


@require_POST
def outcome(request: PageRequest, pk: int) -> HttpResponse:
    """Won: the lead becomes a customer. Lost: it leaves the funnel."""
    found = _opportunity(request, pk)
    form = OutcomeForm(request.POST)
    if not form.is_valid():
        return _panel(request, found.lead, status=422, refusal=_("Choose won or lost."))
    reason, by = form.cleaned_data["reason"], Actor.of(request.user)

    def write() -> str:
        if form.cleaned_data["outcome"] == Opportunity.Outcome.WON:
            opportunities.win(found.pk, by=by, reason=reason)
            return _("Won: %(name)s is a customer now.") % {"name": found.lead.name}
        opportunities.lose(found.pk, by=by, reason=reason)
        return _("Lost. The reason is noted.")

    return _write(request, found.lead, write)


def _not_understood() -> str:
    return _("Nothing is saved yet: see what is marked below.")


@require_GET
def pipeline(request: PageRequest) -> HttpResponse:
    return render(request, "sales/pipeline.html", {"columns": queries.pipeline(request.user)})


@require_GET
def customers(request: PageRequest) -> HttpResponse:
    after, before = (_number(request.GET.get(key)) for key in ("after", "before"))
    page, deals = queries.customers(request.user, after=after, before=before)
    return render(request, "sales/customers.html", {"page": page, "deals": deals})


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
