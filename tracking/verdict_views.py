"""“Human or machine”: what gave machines away, and rules by which a marketer overrules it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from leads.actors import Actor
from leads.refusals import Conflict, Refused
from tracking.models import Event, VerdictRule, VerdictRun
from tracking.verdict_forms import RuleForm
from tracking.verdicts import reports, ruling, running
from tracking.verdicts.weighing import SIGNALS
from users.requests import PageRequest


@require_safe
def verdicts(request: PageRequest) -> HttpResponse:
    """Raw beside human, the signals by day, the events of one signal (?signal=), the rules."""
    chosen = request.GET.get("signal", "")[:40]
    runs = reports.open_runs()
    context = {
        "overview": reports.overview(),
        "chosen": chosen,
        "meaning": SIGNALS.get(chosen),
        "events": reports.events_with(chosen, request.user) if chosen else [],
        "rules": reports.rules_in_words(),
        "runs": [run for run in runs if not reports.is_stopped(run)],
        "stopped_runs": [run for run in runs if reports.is_stopped(run)],
        "failed_checks": reports.failed_checks(),
        "shown_days": reports.SHOWN_DAYS,
    }
    return render(request, "tracking/verdicts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def verdict_rule_new(request: PageRequest) -> HttpResponse:
    """Write a rule, see what it would change, and only then put it into force."""
    if request.method != "POST":
        asked = {name: request.GET[name] for name in RuleForm.base_fields if name in request.GET}
        return _rule_page(request, RuleForm(initial=asked))
    form = RuleForm(request.POST)
    if not form.is_valid():
        return _rule_page(request, form)
    try:
        rule = ruling.read_rule(**form.cleaned_data)
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return _rule_page(request, form)
    if "make" not in request.POST:
        return _rule_page(request, form, ruling.preview(rule))
    ruling.make_rule(rule, by=Actor.of(request.user))
    messages.success(request, _("The rule is in force. Stored events follow in the background."))
    return redirect("tracking:verdicts")


def _rule_page(
    request: PageRequest, form: RuleForm, preview: ruling.Preview | None = None
) -> HttpResponse:
    context = {"form": form, "preview": preview}
    status = 422 if form.errors else 200
    return render(request, "tracking/verdict_rule.html", context, status=status)


@require_POST
def verdict_rule_end(request: PageRequest, pk: int) -> HttpResponse:
    """Take a rule back."""
    get_object_or_404(VerdictRule, pk=pk)
    try:
        ruling.end_rule(pk, by=Actor.of(request.user))
    except Conflict as conflict:
        messages.warning(request, str(conflict))
    else:
        messages.success(
            request, _("The rule is taken back. Stored events follow in the background.")
        )
    return redirect("tracking:verdicts")


@require_POST
def verdict_run_resume(request: PageRequest, pk: int) -> HttpResponse:
    """Let a run go on that failed too often."""
    get_object_or_404(VerdictRun, pk=pk)
    try:
        running.resume(pk, by=Actor.of(request.user))
    except Conflict as conflict:
        messages.warning(request, str(conflict))
    return redirect("tracking:verdicts")


@require_safe
def verdict_event(request: PageRequest, pk: int) -> HttpResponse:
    """One event: its verdict, the signals, and every change of it."""
    seen = Event.objects.visible_to_marketing(request.user).select_related("source", "lead")
    [judged] = reports.judged([get_object_or_404(seen, pk=pk)])
    context = {
        "judged": judged,
        "signals": [(s, SIGNALS[s]) for s in judged.event.verdict_signals if s in SIGNALS],
        "history": reports.history_of(pk),
    }
    return render(request, "tracking/verdict_event.html", context)
