"""Merging two leads, looking at a merged one, and taking a merge apart."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from leads import duplicates, lead_queries, merging, merging_queries
from leads.actors import Actor
from leads.merging_fields import LOSER, SURVIVOR
from leads.models import Lead
from leads.paging import row_number
from leads.refusals import Conflict, Refused
from leads.survivors import survivor_of
from users.requests import PageRequest

KEEP = "keep."  # what the names of the radio buttons begin with


def _see_lead(pk: int) -> HttpResponse:
    """303: the write is done, look at the lead."""
    response = HttpResponseRedirect(reverse("leads:lead", args=[pk]))
    response.status_code = 303
    return response


def where_it_went(request: PageRequest, pk: int) -> HttpResponse:
    """An address of a merged lead leads to the survivor, for who may see that one."""
    visible = Lead.objects.visible_to(request.user)
    survivor_id = survivor_of(pk)
    if survivor_id == pk:
        raise Http404
    loser = visible.filter(pk=pk).first()
    survivor = visible.filter(pk=survivor_id).first()
    if survivor is not None:
        name = loser.name if loser else f"#{pk}"
        sentence = _("%(name)s was merged into this lead.") % {"name": name}
        messages.info(request, sentence)
        return redirect("leads:lead", pk=survivor_id)
    if loser is None:
        raise Http404
    sentence = _("%(name)s was merged into a lead of somebody else. Ask your sales manager.")
    messages.info(request, sentence % {"name": loser.name})
    return redirect("leads:list")


@require_GET
def by_public_id(request: PageRequest, public_id: str) -> HttpResponse:
    """The address that a lead keeps for good."""
    lead = get_object_or_404(Lead, public_id=public_id)
    if not Lead.objects.visible_to(request.user).filter(pk=lead.pk).exists():
        return where_it_went(request, lead.pk)
    return redirect("leads:lead", pk=lead.pk)


@require_http_methods(["GET", "POST"])
def merge(request: PageRequest, pk: int) -> HttpResponse:
    """Choose the other lead, then compare the two, then merge."""
    data = request.POST if request.method == "POST" else request.GET
    loser_id = row_number(data.get("with"))
    if loser_id is None:
        return _choose(request, pk)
    both = merging_queries.pair(request.user, pk, loser_id)
    if both is None:
        raise Http404
    if request.method == "GET":
        return _compare(request, *both)
    try:
        row = merging.merge(
            pk,
            loser_id,
            by=Actor.of(request.user),
            choices=_choices(request),
            reason=request.POST.get("reason", "")[:1000],
            seen=request.POST.get("seen", ""),
        )
    except Refused as refusal:
        return _compare(request, *both, refusal=refusal)
    names = {"loser": row.loser.name, "survivor": row.survivor.name}
    messages.success(request, _("%(loser)s and %(survivor)s are one lead now.") % names)
    return _see_lead(pk)


def _choices(request: PageRequest) -> dict[str, str]:
    return {
        key.removeprefix(KEEP): str(side)
        for key, side in request.POST.items()
        if key.startswith(KEEP) and side in (SURVIVOR, LOSER)
    }


def _choose(request: PageRequest, pk: int) -> HttpResponse:
    lead = get_object_or_404(lead_queries.lead_in_full(request.user), pk=pk)
    text = request.GET.get("q", "").replace("\0", "")[:200]
    context = {
        "lead": lead,
        "text": text,
        "candidates": merging_queries.candidates(lead, request.user, text),
        "suggestions": duplicates.of_lead(lead, request.user),
    }
    return render(request, "leads/merge_choice.html", context)


def _compare(
    request: PageRequest, survivor: Lead, loser: Lead, refusal: Refused | None = None
) -> HttpResponse:
    """The two side by side; after a refusal as they are now, with what was chosen."""
    chosen = _choices(request) if refusal else {}
    reason = request.POST.get("reason", "") if refusal else ""
    context = {
        "told": merging_queries.compare(survivor, loser, request.user, chosen),
        "reason": reason or duplicates.between(survivor, loser),
        "refusal": str(refusal or ""),
    }
    status = 200 if refusal is None else 409 if isinstance(refusal, Conflict) else 422
    return render(request, "leads/merge.html", context, status=status)


@require_GET
def merged(request: PageRequest, pk: int) -> HttpResponse:
    """A merged lead as it was, with its own history."""
    lead = get_object_or_404(lead_queries.lead_in_full(request.user), pk=pk)
    return _merged(request, lead)


def _merged(request: PageRequest, lead: Lead, refusal: Refused | None = None) -> HttpResponse:
    row = merging_queries.open_merge_of(lead)
    if row is None:
        return redirect("leads:lead", pk=lead.pk)
    context = {
        "lead": lead,
        "merge": row,
        "cycles": lead_queries.cycles(lead_queries.episodes_of(lead)),
        "consents": list(lead.consents.all()),
        "external_ids": list(lead.external_ids.all()),
        "refusal": str(refusal or ""),
        "reason": request.POST.get("reason", ""),
    }
    status = 200 if refusal is None else 409 if isinstance(refusal, Conflict) else 422
    return render(request, "leads/merged.html", context, status=status)


@require_POST
def unmerge(request: PageRequest, pk: int) -> HttpResponse:
    """Take apart the merge that led this lead away."""
    lead = get_object_or_404(lead_queries.lead_in_full(request.user), pk=pk)
    row = merging_queries.open_merge_of(lead)
    if row is None:
        messages.info(request, _("%(name)s is a lead of its own already.") % {"name": lead.name})
        return _see_lead(lead.pk)
    reason = request.POST.get("reason", "")[:1000]
    try:
        merging.unmerge(row.pk, by=Actor.of(request.user), reason=reason)
    except Refused as refusal:
        return _merged(request, lead, refusal)
    messages.success(request, _("%(name)s is a lead of its own again.") % {"name": lead.name})
    return _see_lead(lead.pk)


@require_GET
def duplicate_list(request: PageRequest) -> HttpResponse:
    """Who may be in here twice."""
    page = duplicates.read_page(
        request.user,
        after=row_number(request.GET.get("after")),
        before=row_number(request.GET.get("before")),
    )
    context = {
        "page": page,
        "searched_at": duplicates.searched_at(),
        "shared": duplicates.told_by_others(request.user),
    }
    return render(request, "leads/duplicates.html", context)


@require_POST
def duplicate_dismissed(request: PageRequest) -> HttpResponse:
    """These are two people: do not suggest them again."""
    first, second = (row_number(request.POST.get(name)) for name in ("first", "second"))
    if first is None or second is None:
        messages.error(request, _("Say which two leads are two people."))
        return redirect("leads:duplicates")
    both = merging_queries.pair(request.user, first, second)
    if both is None:
        raise Http404
    duplicates.dismiss(both[0].pk, both[1].pk, by=Actor.of(request.user))
    names = {"first": both[0].name, "second": both[1].name}
    messages.success(request, _("Remembered: %(first)s and %(second)s are two people.") % names)
    response = HttpResponseRedirect(reverse("leads:duplicates"))
    response.status_code = 303
    return response
