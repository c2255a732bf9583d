"""Install tracking: what to put where, and whether anything arrives."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from tracking.installing import BANNER, STUB, installation_of, receipt_of
from tracking.models import Source
from tracking.queries import senders
from users.requests import PageRequest


@require_safe
def install(request: PageRequest) -> HttpResponse:
    """How to send with one source: the one that is asked for, else the first website."""
    sources = sorted(
        senders().filter(is_active=True), key=lambda source: source.kind != Source.Kind.WEB
    )
    asked = request.GET.get("source", "")
    chosen = next((source for source in sources if str(source.pk) == asked), None)
    chosen = chosen or (sources[0] if sources else None)
    context: dict[str, Any] = {"sources": sources, "source": chosen}
    if chosen is not None:
        address = request.build_absolute_uri("/").rstrip("/")
        context["installation"] = installation_of(chosen, address)
        context["receipt"] = receipt_of(chosen)
        context |= {"banner": BANNER, "stub": STUB}
    return render(request, "tracking/install.html", context)


@require_safe
def received(request: PageRequest, pk: int) -> HttpResponse:
    """The part of the page that says what arrived; it asks for itself every other second."""
    source = get_object_or_404(Source, pk=pk)
    since = request.GET.get("since", "")
    # Digits of another script, or of a number that no message has, are no number.
    number = int(since) if since.isascii() and since.isdigit() and len(since) < 19 else None
    context = {"source": source, "receipt": receipt_of(source, number)}
    return render(request, "tracking/_received.html", context)
