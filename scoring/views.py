"""The agreement on the score, and why a lead has its own."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import get_default_timezone, is_naive, make_aware
from django.views.decorators.http import require_GET

from leads.models import Lead
from scoring import queries, version_queries
from scoring.models import ModelVersion


@require_GET
def model(request: HttpRequest) -> HttpResponse:
    """The active version in plain sentences, drafts, and a publication under way."""
    active = ModelVersion.objects.active()
    context = {
        "agreement": queries.agreement(active) if active else None,
        "drafts": queries.drafts(),
        "other_models": version_queries.models_for_some(),
        "progress": queries.progress(),
        "past_versions": queries.past_versions(),
        "failed_count": queries.failed_count(),
    }
    return render(request, "scoring/model.html", context)


@require_GET
def explanation(request: HttpRequest, pk: int) -> HttpResponse:
    """Why a lead has its score: a page, or the panel alone for htmx. `?as_of=`: when."""
    lead = get_object_or_404(Lead.objects.visible_to(request.user), pk=pk)
    as_of = _instant(request.GET.get("as_of", ""))
    template = (
        "scoring/_explanation.html"
        if getattr(request, "htmx", False)
        else "scoring/explanation.html"
    )
    return render(request, template, {"lead": lead, "panel": queries.panel(lead, as_of)})


def _instant(text: str) -> datetime | None:
    """The instant that a text names, or None. A day means its end."""
    try:
        at = parse_datetime(text) if len(text) > len("2026-01-31") else None
        day = parse_date(text) if at is None else None
    except ValueError:
        return None
    if day:
        at = datetime(day.year, day.month, day.day, 23, 59, 59)
    return make_aware(at, get_default_timezone()) if at and is_naive(at) else at
