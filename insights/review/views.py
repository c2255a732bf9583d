"""The review of the scoring model, and its suggestion taken over as a draft."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from insights.review import making, page
from insights.review_models import Review
from leads.actors import Actor
from leads.paging import row_number
from leads.refusals import Refused
from scoring import reweighing
from scoring.governing import models_in_force
from scoring.in_force import version_in_force
from scoring.models import DEFAULT_MODEL_ID
from users.requests import PageRequest


@require_http_methods(["GET", "POST"])
def review(request: PageRequest) -> HttpResponse:
    """The newest review of a model (`?model=`); asking for one is a POST."""
    models = models_in_force()
    wanted = row_number(request.GET.get("model"))
    model_id = wanted if wanted in [model.pk for model in models] else DEFAULT_MODEL_ID
    if request.method == "POST":
        try:
            making.request(model_id, by=Actor.of(request.user))
        except Refused as refusal:
            messages.warning(request, str(refusal))
        return HttpResponseRedirect(f"{reverse('review:review')}?model={model_id}")
    newest = page.newest(model_id)
    context = {
        "models": models,
        "model_id": model_id,
        "study": newest,
        "page": page.Page(newest) if newest and newest.finished_at else None,
        "active": version_in_force(model_id),
    }
    return render(request, "insights/review.html", context)


@require_POST
def take_over(request: PageRequest, pk: int) -> HttpResponse:
    """Clone the version in force to a draft with the suggested weights; on to its preview."""
    study = get_object_or_404(Review, pk=pk, finished_at__isnull=False)
    reason = _("Suggested weights of review %(number)s") % {"number": study.pk}
    try:
        draft = reweighing.draft_with_points(
            study.version.number,
            page.Page(study).points,
            by=Actor.of(request.user),
            reason=reason,
        )
    except Refused as refusal:
        messages.warning(request, str(refusal))
        return HttpResponseRedirect(reverse("review:review"))
    messages.success(
        request,
        _("Version %(number)s is a draft with the suggested weights. Nothing else changed.")
        % {"number": draft.number},
    )
    return HttpResponseRedirect(reverse("scoring:preview", args=[draft.number]))
