"""The page of one lead, and what people do there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.timezone import localdate, now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from leads import (
    buying_roles,
    consents,
    criteria,
    custom_fields,
    editing,
    lead_queries,
    merging_queries,
)
from leads.actors import Actor
from leads.filter_forms import owners_for
from leads.filters import day_begins_at
from leads.forms import (
    AssignmentForm,
    BuyingRoleForm,
    ConsentForm,
    LeadForm,
    TransitionForm,
)
from leads.merging_rules import OPERATORS
from leads.merging_views import where_it_went
from leads.models import Lead
from leads.refusals import Conflict, Refused
from leads.timeline import choices as timeline_choices
from leads.timeline import source_names
from leads.transitions import carry_out, offers_for
from users.requests import PageRequest
from users.roles import Role


def see_other(pk: int) -> HttpResponse:
    """303: the write is done, look at the lead."""
    response = HttpResponseRedirect(reverse("leads:lead", args=[pk]))
    response.status_code = 303
    return response


def _visible(request: PageRequest, pk: int) -> Lead:
    return get_object_or_404(lead_queries.lead_in_full(request.user), pk=pk)


@require_GET
def lead_page(request: PageRequest, pk: int) -> HttpResponse:
    lead = lead_queries.lead_in_full(request.user).filter(pk=pk).first()
    if lead is None or lead.merged_into_id:
        return where_it_went(request, pk)
    return _page(request, lead)


def _page(
    request: PageRequest, lead: Lead, *, status: int = 200, refusal: str = "", **forms
) -> HttpResponse:
    episodes = lead_queries.episodes_of(lead)
    results = criteria.evaluate(lead) if lead.is_open else []
    told = list(lead.consents.all())
    definitions = custom_fields.definitions()
    context = {
        "lead": lead,
        "refusal": refusal,
        "steps": lead_queries.stepper(lead, episodes),
        "cycles": lead_queries.cycles(episodes),
        "results": results,
        "offers": offers_for(lead, request.user.role, results),
        "colleagues": lead_queries.colleagues(lead, request.user),
        "roles": list(lead.buying_roles.order_by("kind")),
        "consents": told,
        "consents_in_force": lead_queries.newest_consents(told),
        "own_fields": [
            (field.label, custom_fields.show_value(field, lead.custom.get(field.key)))
            for field in definitions
        ],
        "merges": merging_queries.merges_shown(lead, request.user),
        "may_merge": request.user.role in OPERATORS,
        "timeline": lead_queries.timeline_page(lead),
        "sources": source_names(),
        "choices": timeline_choices(lead),
        "transition_form": TransitionForm(initial={"expected_seq": lead.episode_seq}),
        "usual_return_on": criteria.usual_return_on(),
        "role_form": BuyingRoleForm(),
        "consent_form": ConsentForm(),
        "assignment_form": _assignment_form(request, lead),
        **forms,
    }
    return render(request, "leads/lead.html", context, status=status)


def _assignment_form(request: PageRequest, lead: Lead, data=None) -> AssignmentForm | None:
    if request.user.role not in (Role.MANAGER, Role.ADMIN):
        return None
    people = owners_for(request.user)
    form = AssignmentForm(data, people=people, initial={"owner": lead.owner_id})
    return form


def _write(request: PageRequest, lead: Lead, write: Callable[[], str], **forms) -> HttpResponse:
    """Do it and show the lead again; a refusal answers with the page and the sentence."""
    try:
        messages.success(request, write())
    except Refused as refusal:
        status = 409 if isinstance(refusal, Conflict) else 422
        fresh = _visible(request, lead.pk) if status == 409 else lead
        return _page(request, fresh, status=status, refusal=str(refusal), **forms)
    # The move may have taken the lead out of this person's sight.
    if not Lead.objects.visible_to(request.user).filter(pk=lead.pk).exists():
        return HttpResponseRedirect(reverse("leads:list"))
    return see_other(lead.pk)


@require_POST
def transitions(request: PageRequest, pk: int) -> HttpResponse:
    lead = _visible(request, pk)
    form = TransitionForm(request.POST)
    if not form.is_valid():
        sentence = _("This form was not complete. Choose what to do and send it again.")
        return _page(request, lead, status=422, refusal=sentence, transition_form=form)

    def write() -> str:
        episode = carry_out(lead.pk, by=Actor.of(request.user), **form.cleaned_data)
        return _("%(name)s is now in stage %(stage)s.") % {
            "name": lead.name,
            "stage": episode.get_stage_display(),
        }

    return _write(request, lead, write, transition_form=form)


@require_POST
def assignment(request: PageRequest, pk: int) -> HttpResponse:
    lead = _visible(request, pk)
    form = _assignment_form(request, lead, request.POST)
    if form is None or not form.is_valid():
        sentence = _("Choose a person of your team, or nobody.")
        return _page(request, lead, status=422, refusal=sentence)
    owner = form.cleaned_data["owner"]

    def write() -> str:
        editing.assign_by_hand(lead.pk, owner=owner, by=Actor.of(request.user))
        return _("%(name)s is the owner now.") % {"name": owner} if owner else _("No owner now.")

    return _write(request, lead, write)


@require_POST
def role_added(request: PageRequest, pk: int) -> HttpResponse:
    lead = _visible(request, pk)

    def write() -> str:
        buying_roles.add_role(lead.pk, request.POST.get("kind", ""), by=Actor.of(request.user))
        return _("Buying role noted.")

    return _write(request, lead, write)


@require_POST
def role_removed(request: PageRequest, pk: int) -> HttpResponse:
    lead = _visible(request, pk)

    def write() -> str:
        buying_roles.remove_role(lead.pk, request.POST.get("kind", ""), by=Actor.of(request.user))
        return _("Buying role removed.")

    return _write(request, lead, write)


@require_POST
def consent_recorded(request: PageRequest, pk: int) -> HttpResponse:
    lead = _visible(request, pk)
    form = ConsentForm(request.POST)
    if not form.is_valid():
        sentence = _("The consent was not written down: see what is missing below.")
        return _page(request, lead, status=422, refusal=sentence, consent_form=form)

    def write() -> str:
        is_qualified = consents.record_by_hand(
            lead.pk,
            purpose=form.cleaned_data["purpose"],
            is_granted=form.cleaned_data["is_granted"],
            given_at=_instant_on(form.cleaned_data["given_on"]),
            evidence=form.cleaned_data["evidence"],
            by=Actor.of(request.user),
        )
        if is_qualified:
            return _("Consent noted; everything is met, so this is a Qualified lead now.")
        return _("Consent noted.")

    return _write(request, lead, write, consent_form=form)


def _instant_on(day) -> datetime:
    """Today means now, an earlier day its beginning; a later one lies in the future."""
    if day < localdate():
        return day_begins_at(day)
    return now() if day == localdate() else now() + timedelta(days=1)


def _tell(form: LeadForm, refusal: Refused) -> dict:
    """Show the refusal above the form; the lead that has the address already, if one may see it."""
    form.add_error(None, str(refusal))
    return {"known_lead": getattr(refusal, "lead", None)}


def lead_new(request: PageRequest) -> HttpResponse:
    form = LeadForm(request.POST if request.method == "POST" else None)
    context: dict = {"form": form}
    if request.method == "POST" and form.is_valid():
        try:
            lead = editing.add_lead(
                by=Actor.of(request.user),
                email=form.cleaned_data["email"],
                profile=form.profile(),
                custom={k: v for k, v in form.custom().items() if v is not None},
                company=form.cleaned_data["company"],
            )
        except Refused as refusal:
            context |= _tell(form, refusal)
        else:
            messages.success(request, _("%(name)s is a lead now.") % {"name": lead.name})
            return see_other(lead.pk)
    return render(request, "leads/edit.html", context, status=422 if form.errors else 200)


def lead_edit(request: PageRequest, pk: int) -> HttpResponse:
    lead = _visible(request, pk)
    if lead.merged_into_id and request.method == "GET":
        return where_it_went(request, pk)
    form = LeadForm(
        request.POST if request.method == "POST" else None, instance=_visible(request, pk)
    )
    context: dict = {"form": form, "lead": lead}
    if request.method == "POST" and form.is_valid():
        try:
            editing.edit_lead(
                lead.pk,
                changes=form.changes(),
                custom=form.custom(),
                company=form.new_company(),
                by=Actor.of(request.user),
            )
        except Refused as refusal:
            context |= _tell(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return see_other(lead.pk)
    return render(request, "leads/edit.html", context, status=422 if form.errors else 200)
