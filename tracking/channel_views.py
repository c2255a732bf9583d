"""The page of the channel rules: read them, try them out, change them."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from leads.actors import Actor
from leads.channels import Channel
from leads.refusals import Refused
from tracking import channel_rules, reclassifying
from tracking.channel_forms import RuleForm, TryForm
from tracking.channel_models import ChannelRule
from tracking.channel_wording import conditions, explain
from tracking.channels import decide, read_arrival
from users.requests import PageRequest


@require_GET
def channels(request: PageRequest) -> HttpResponse:
    """All rules in order; `?url=…&referrer=…` tries them out."""
    form = TryForm(request.GET if "url" in request.GET or "referrer" in request.GET else None)
    context = {
        "lines": [(rule, conditions(rule)) for rule in ChannelRule.objects.all()],
        "form": form,
        "tried": _try_out(form) if form.is_bound and form.is_valid() else None,
        "progress": reclassifying.progress(),
    }
    return render(request, "tracking/channels.html", context)


def _try_out(form: TryForm) -> dict:
    """What the active rules make of the address, and why."""
    said = form.cleaned_data
    arrival = read_arrival(_with_scheme(said["url"]), _with_scheme(said["referrer"]))
    decision = decide(arrival, list(ChannelRule.objects.filter(is_active=True)))
    return {
        "channel": Channel(decision.touch.channel).label,
        "touch": decision.touch,
        "rule": decision.rule,
        "why": explain(decision, arrival),
    }


def _with_scheme(url: str) -> str:
    return url if not url or "://" in url else f"https://{url}"


def channel_rule_new(request: PageRequest) -> HttpResponse:
    """Write a rule, in front of the one that `?before=` names."""
    before = request.GET.get("before", "")
    anchor = int(before) if before.isascii() and before.isdecimal() and len(before) < 10 else None
    form = RuleForm(request.POST if request.method == "POST" else None)
    return _edit(
        request,
        form,
        None,
        lambda values: channel_rules.add_rule(values, by=Actor.of(request.user), before=anchor),
    )


def channel_rule(request: PageRequest, pk: int) -> HttpResponse:
    """Change a rule."""
    rule = get_object_or_404(ChannelRule, pk=pk)
    form = RuleForm.of(rule, request.POST if request.method == "POST" else None)
    return _edit(
        request,
        form,
        rule,
        lambda values: channel_rules.change_rule(pk, values, by=Actor.of(request.user)),
    )


def _edit(
    request: PageRequest,
    form: RuleForm,
    rule: ChannelRule | None,
    write: Callable[[dict], ChannelRule],
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            saved = write(form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            sentence = _("Rule %(number)s is in force. Stored visits are classified again.")
            messages.success(request, sentence % {"number": saved.position})
            return redirect("tracking:channels")
    context = {"form": form, "rule": rule}
    status = 422 if form.errors else 200
    return render(request, "tracking/channel_rule.html", context, status=status)


@require_POST
def channel_rule_place(request: PageRequest, pk: int) -> HttpResponse:
    """One place up or down."""
    get_object_or_404(ChannelRule, pk=pk)
    channel_rules.move_rule(pk, up=request.POST.get("way") != "down", by=Actor.of(request.user))
    return redirect("tracking:channels")


@require_POST
def channel_rule_removal(request: PageRequest, pk: int) -> HttpResponse:
    """Take a rule out; a second click finds it gone and changes nothing."""
    channel_rules.remove_rule(pk, by=Actor.of(request.user))
    messages.success(request, _("The rule is gone. Stored visits are classified again."))
    return redirect("tracking:channels")
