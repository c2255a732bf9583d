"""The inbox: what waits for a rep, why, and the decision."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from leads.actors import Actor
from leads.models import Lead
from leads.refusals import Conflict, Refused
from sales import handoff as handoffs
from sales import queries
from sales.forms import ACCEPT, AssignmentForm, DecisionForm
from sales.models import Handoff
from sales.why import why_promising
from users.requests import PageRequest

# How long the inbox holds a decision back, so that it can be undone.
UNDO_SECONDS = 5
_TAB_LABELS = {
    Handoff.State.SUBMITTED: gettext_lazy("Open"),
    Handoff.State.ACCEPTED: gettext_lazy("Accepted"),
    Handoff.State.REJECTED: gettext_lazy("Rejected"),
}


@require_GET
@vary_on_headers("HX-Request")
def inbox(request: PageRequest) -> HttpResponse:
    """The whole page, or only its list for whoever looks again."""
    if request.htmx:
        return render(request, "sales/inbox.html#list", _list_context(request))
    return _inbox(request)


def _inbox(
    request: PageRequest, *, status: int = 200, refusal: str = "", chosen: int | None = None
) -> HttpResponse:
    context = _list_context(request)
    wanted = chosen or _number(request.GET.get("handoff"))
    row = next((row for row in context["rows"] if row.handoff.pk == wanted), None)
    if row is None and wanted is None and context["rows"]:
        row = context["rows"][0]
    context |= _detail_context(request, row) | {
        "refusal": refusal,
        "reasons": queries.reject_reasons(),
        "undo_seconds": UNDO_SECONDS,
    }
    return render(request, "sales/inbox.html", context, status=status)


def _list_context(request: PageRequest) -> dict:
    tab = request.GET.get("tab", "")
    tab = tab if tab in queries.TABS else Handoff.State.SUBMITTED
    page, rows = queries.inbox_page(request.user, tab, request.GET.get("page", 1))
    counts = queries.tab_counts(request.user)
    return {
        "tab": tab,
        "page": page,
        "rows": rows,
        "tabs": [(state, _TAB_LABELS[state], counts[state]) for state in queries.TABS],
        "open_count": counts[Handoff.State.SUBMITTED],
    }


def _detail_context(request: PageRequest, row: queries.Row | None) -> dict:
    if row is None:
        return {"row": None}
    return {
        "row": row,
        "why": why_promising(row.lead),
        "reps": queries.reps_for(request.user) if row.is_mine_to_decide else [],
        "lead_is_visible": Lead.objects.visible_to(request.user).filter(pk=row.lead.pk).exists(),
    }


@require_GET
@vary_on_headers("HX-Request")
def handoff(request: PageRequest, pk: int) -> HttpResponse:
    """One hand-off with its reasons and the decision: a fragment, or the inbox opened there."""
    found = get_object_or_404(queries.in_full(Handoff.objects.visible_to(request.user)), pk=pk)
    if not request.htmx:
        return HttpResponseRedirect(f"{reverse('sales:inbox')}?tab={found.state}&handoff={pk}")
    [row] = queries.as_rows([found], request.user)
    context = _detail_context(request, row) | {"reasons": queries.reject_reasons()}
    return render(request, "sales/inbox.html#detail", context)


@require_POST
def decision(request: PageRequest, pk: int) -> HttpResponse:
    """Accept or reject. 422 with the sentence when refused, 409 when a colleague was faster."""
    found = get_object_or_404(Handoff.objects.within_reach(request.user), pk=pk)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        sentence = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return _refused(request, Refused(sentence), pk)
    try:
        decided = _decide(found.pk, Actor.of(request.user), form.cleaned_data)
    except Refused as refusal:
        return _refused(request, refusal, pk)
    sentence = _("%(name)s: %(state)s.") % {
        "name": decided.lead.name,
        "state": decided.get_state_display(),
    }
    return _done(request, sentence)


def _decide(pk: int, by: Actor, answers: dict) -> Handoff:
    if answers["decision"] == ACCEPT:
        return handoffs.accept(pk, by=by, note=answers["note"])
    return handoffs.reject(
        pk,
        by=by,
        reason_code=answers["reason_code"],
        note=answers["note"],
        not_before_on=answers["not_before_on"],
    )


@require_POST
def assignment(request: PageRequest, pk: int) -> HttpResponse:
    """A manager gives it to somebody; a rep takes it out of the queue (`assignee` is own id)."""
    found = get_object_or_404(Handoff.objects.within_reach(request.user), pk=pk)
    by = Actor.of(request.user)
    try:
        if request.user.is_rep:
            given = handoffs.take(found.pk, by=by)
        else:
            form = AssignmentForm(queries.reps_for(request.user), request.POST)
            if not form.is_valid():
                raise Refused(_("Choose a rep of the team, or the queue."))
            given = handoffs.assign(
                found.pk, form.cleaned_data["assignee"], by=by, note=form.cleaned_data["note"]
            )
    except Refused as refusal:
        return _refused(request, refusal, pk)
    names = {"name": given.lead.name, "who": given.assignee or _("the queue")}
    return _done(request, _("%(name)s goes to %(who)s.") % names)


def _done(request: PageRequest, sentence: str) -> HttpResponse:
    """A fragment with the sentence and the new counts, or the inbox again."""
    if request.htmx:
        context = {"sentence": sentence, **_list_context(request)}
        return render(request, "sales/_answer.html", context)
    messages.success(request, sentence)
    response = HttpResponseRedirect(reverse("sales:inbox"))
    response.status_code = 303
    return response


def _refused(request: PageRequest, refusal: Refused, pk: int) -> HttpResponse:
    status = 409 if isinstance(refusal, Conflict) else 422
    if request.htmx:
        context = {"sentence": str(refusal), "is_refusal": True, **_list_context(request)}
        return render(request, "sales/_answer.html", context, status=status)
    return _inbox(request, status=status, refusal=str(refusal), chosen=pk)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
