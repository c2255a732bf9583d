"""First and last touch on the lead page, and noting what happened away from the web."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.timezone import get_current_timezone, localtime, now, override
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.actors import Actor
from leads.models import Lead
from leads.refusals import Refused
from tracking.events import KINDS, TOUCHPOINTS
from tracking.touchpoints import Touchpoint, note_by_hand
from users.requests import PageRequest


class LocalDateTimeField(forms.DateTimeField):
    """Of an instant that the clock shows twice, when it is set back, the first is meant."""

    def to_python(self, value: Any) -> datetime | None:
        try:
            return super().to_python(value)
        except ValidationError:
            with override(UTC):  # raises again what cannot be read at all
                shown = super().to_python(value)
            first = shown and shown.replace(tzinfo=get_current_timezone(), fold=0)
            if first is None or not is_shown_twice(first):
                raise
            return first


def is_shown_twice(at: datetime) -> bool:
    """Whether the clock shows this local time again after it was set back."""
    zone = at.tzinfo
    first, second = (at.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return first < second and second.astimezone(zone).replace(fold=0) == at.replace(fold=0)


class TouchpointForm(forms.Form):
    """What happened, when, and a note. `key` makes sending it twice harmless."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What happened"),
        choices=[(kind, KINDS[kind].label) for kind in TOUCHPOINTS],
    )
    at = LocalDateTimeField(
        label=gettext_lazy("When"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
    )
    title = forms.CharField(
        label=gettext_lazy("Title"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("Fair, subject, review …")}),
    )
    place = forms.CharField(label=gettext_lazy("Site or network"), required=False, max_length=100)
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    key = forms.UUIDField(widget=forms.HiddenInput)


def touchpoints(request: PageRequest, pk: int) -> HttpResponse:
    """First and last touch with the form; POST notes a touchpoint."""
    leads = Lead.objects.visible_to(request.user).select_related("touch")
    lead = get_object_or_404(leads, pk=pk)
    form = TouchpointForm(
        request.POST if request.method == "POST" else None, initial=_blank(), prefix="touchpoint"
    )
    if request.method == "POST" and form.is_valid():
        try:
            note_by_hand(_touchpoint(lead, form.cleaned_data), by=Actor.of(request.user))
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Noted. It appears on the timeline within a second."))
            if is_shown_twice(form.cleaned_data["at"]):
                messages.info(
                    request, _("The clock showed this time twice that night: the first is noted.")
                )
            response = HttpResponseRedirect(reverse("leads:lead", args=[pk]))
            response.status_code = 303
            return response
    context = {"lead": lead, "touch": getattr(lead, "touch", None), "form": form}
    template = "tracking/_touches.html" if request.htmx else "tracking/touches.html"
    return render(request, template, context, status=422 if form.errors else 200)


def _blank() -> dict:
    return {"at": localtime(now()).replace(second=0, microsecond=0), "key": uuid.uuid4()}


def _touchpoint(lead: Lead, said: dict) -> Touchpoint:
    at: datetime = said["at"]
    return Touchpoint(
        lead, said["kind"], at, f"hand:{said['key']}", said["title"], said["place"], said["note"]
    )
