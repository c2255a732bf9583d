"""The page of a version: what it says, what it would change, who signs, how it gets into force."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from leads.actors import Actor
from leads.refusals import Conflict, Refused
from scoring import publishing, queries, signing, terms, version_queries
from scoring.models import ModelVersion, Publication
from scoring.version_forms import PublicationForm, ReviewForm
from users.requests import PageRequest


@require_GET
def version(request: PageRequest, number: int) -> HttpResponse:
    return _page(request, _find(number))


def _find(number: int) -> ModelVersion:
    rows = ModelVersion.objects.select_related("model", "based_on", "published_by", "replaces")
    return get_object_or_404(rows, number=number)


def _page(
    request: PageRequest, version: ModelVersion, status: int = 200, **more: Any
) -> HttpResponse:
    publication = version_queries.newest_publication(version)
    may = version_queries.allowed(version, request.user, publication)
    before = terms.before(version)
    progress = queries.progress()
    is_under_way = publication is not None and publication.is_running and not publication.is_waiting
    context = {
        "version": version,
        "whom": version_queries.whom(version),
        "agreement": queries.agreement(version),
        "changes": terms.changes_against(before, version) if before else [],
        "before": before,
        "fingerprint": terms.fingerprint(version) if may.sign else "",
        "is_first_of_model": may.publish and publishing.is_first_of_model(version),
        "sides": version_queries.sides(version),
        "deeds": version_queries.deeds(version),
        "publication": publication,
        "progress": progress if is_under_way else None,
        "held": version_queries.held(version),
        "may": may,
        "publication_form": PublicationForm(),
        "review_form": ReviewForm(),
        "is_in_the_making": version.state in ("draft", "in_review", "signed"),
    }
    return render(request, "scoring/version.html", context | more, status=status)


def _do(
    request: PageRequest, number: int, deed: Callable[[ModelVersion, Actor], object], done: str
) -> HttpResponse:
    """Do it and go back to the page; or the page with the sentence that says why not."""
    version = _find(number)
    try:
        deed(version, Actor.of(request.user))
    except Refused as refusal:
        status = 409 if isinstance(refusal, Conflict) else 422
        return _page(request, _find(number), status, refusal=str(refusal))
    messages.success(request, done % {"number": number})
    return HttpResponseRedirect(reverse("scoring:version", args=[number]))


@require_POST
def reviews(request: PageRequest, number: int) -> HttpResponse:
    """Submit a draft, send it back, give it up, or confirm the version in force."""
    decision = request.POST.get("decision", "")
    reason = request.POST.get("reason", "")
    if decision == "confirm":
        return _confirm(request, number)
    deeds: dict[str, tuple[Callable[[ModelVersion, Actor], object], str]] = {
        "submit": (
            lambda v, by: signing.submit(v.pk, by=by),
            _("Version %(number)s waits for its signatures."),
        ),
        "send_back": (
            lambda v, by: signing.send_back(v.pk, by=by, reason=reason),
            _("Version %(number)s is a draft again."),
        ),
        "give_up": (
            lambda v, by: signing.give_up(v.pk, by=by),
            _("Version %(number)s will not be published."),
        ),
    }
    if decision not in deeds:
        return _page(request, _find(number), 422, refusal=_("Choose what to do with it."))
    return _do(request, number, *deeds[decision])


def _confirm(request: PageRequest, number: int) -> HttpResponse:
    form = ReviewForm(request.POST)
    if not form.is_valid():
        return _page(request, _find(number), 422, review_form=form)
    next_on = form.cleaned_data["next_on"]
    return _do(
        request,
        number,
        lambda v, by: signing.confirm_review(v.pk, next_on, by=by),
        _("Version %(number)s was reviewed and stays as it is."),
    )


@require_POST
def signatures(request: PageRequest, number: int) -> HttpResponse:
    return _do(
        request,
        number,
        lambda v, by: signing.sign(v.pk, by=by, seen=request.POST.get("seen", "")),
        _("You have signed version %(number)s."),
    )


@require_POST
def publications(request: PageRequest, number: int) -> HttpResponse:
    """Publish a signed version, bring a former one back, or call a waiting one off."""
    if request.POST.get("decision") == "call_off":
        called_off = _("Version %(number)s stays signed; it does not come into force by itself.")
        return _do(request, number, lambda v, by: publishing.call_off(v.pk, by=by), called_off)
    is_rollback = _find(number).state == ModelVersion.State.RETIRED
    fixed = {"scope": Publication.Scope.ALL} if is_rollback else {}
    form = PublicationForm(request.POST.dict() | fixed)
    if not form.is_valid():
        return _page(request, _find(number), 422, publication_form=form)
    return _do(
        request,
        number,
        lambda v, by: publishing.publish(v.pk, by=by, plan=form.plan()),
        _("Version %(number)s is on its way."),
    )
