"""Where events come from: sources, their keys, and what became of what they sent."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from leads.actors import Actor
from leads.refusals import Refused
from tracking import queries
from tracking.forms import KeyForm, SourceForm
from tracking.key_views import show_once
from tracking.keys import add_source, issue_key, revoke_key
from tracking.models import WriteKey
from users.requests import PageRequest


@require_http_methods(["GET", "HEAD", "POST"])
def sources(request: PageRequest) -> HttpResponse:
    """All sources; POST adds one."""
    form = SourceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            source = add_source(**form.cleaned_data, by=Actor.of(request.user))
        except Refused as refusal:
            form.add_error("name", str(refusal))
        else:
            issue_key(source, is_secret=False, by=Actor.of(request.user))
            messages.success(request, _("“%(name)s” can send events now.") % {"name": source})
            return redirect("tracking:sources")
    context = {
        "form": form,
        "overviews": queries.overview(),
        "recent": queries.recent_events(request.user),
        "pending_count": queries.pending_count(),
        "quarantined_count": queries.quarantined_count(),
        "address": request.build_absolute_uri("/").rstrip("/"),
        "shown_days": queries.SHOWN_DAYS,
    }
    status = 422 if form.errors else 200
    return render(request, "tracking/sources.html", context, status=status)


@require_POST
def keys(request: PageRequest, pk: int) -> HttpResponse:
    """Give a source one more key. A secret one is shown on the next page and never again."""
    source = get_object_or_404(queries.senders(), pk=pk)
    form = KeyForm(request.POST)
    is_secret = form.is_valid() and form.cleaned_data["is_secret"]
    key, text = issue_key(source, is_secret=is_secret, by=Actor.of(request.user))
    if not is_secret:
        messages.success(request, _("“%(name)s” has a new key.") % {"name": source})
        return redirect("tracking:sources")
    return show_once(request, key, text)


@require_POST
def revocation(request: PageRequest, pk: int) -> HttpResponse:
    """End a key."""
    get_object_or_404(WriteKey, pk=pk)
    key = revoke_key(pk, by=Actor.of(request.user))
    messages.success(request, _("The key %(key)s… is revoked.") % {"key": key.prefix})
    return redirect("tracking:sources")
