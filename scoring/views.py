"""The agreement on the score."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

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
