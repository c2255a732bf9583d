"""The agreement on the score."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from scoring import queries, signing, version_queries
from scoring.models import ModelVersion
from users.requests import PageRequest


@require_GET
def model(request: PageRequest) -> HttpResponse:
    """The active version in plain sentences, drafts, and a publication under way."""
    active = ModelVersion.objects.active()
    context = {
        "agreement": queries.agreement(active) if active else None,
        "drafts": queries.drafts(),
        "other_models": version_queries.models_for_some(),
        "progress": queries.progress(),
        "past_versions": queries.past_versions(),
        "failed_count": queries.failed_count(),
        "may_review": request.user.is_admin or signing.side_of(request.user.role) is not None,
    }
    return render(request, "scoring/model.html", context)
