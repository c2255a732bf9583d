"""The timeline of a lead, page by page, and what its folded lines stand for."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_aware
from django.views.decorators.http import require_GET

from leads import lead_queries, timeline
from leads.models import Lead
from users.requests import PageRequest


@require_GET
def lead_timeline(request: PageRequest, pk: int) -> HttpResponse:
    """A page of the timeline: a fragment for htmx, a page of its own as a plain link."""
    lead = _visible(request, pk)
    only, narrowing = request.GET.get("only", ""), _narrowing(request)
    before = _place_in_time(request.GET.get("before", ""))
    page = lead_queries.timeline_page(lead, before=before, only=only, narrowing=narrowing)
    context = {"lead": lead, "timeline": page, "only": only, "narrowing": narrowing}
    if request.htmx:
        return render(request, "leads/_timeline.html", context)
    context |= {"sources": timeline.source_names(), "choices": timeline.choices(lead)}
    return render(request, "leads/timeline.html", context)


@require_GET
def timeline_group(request: PageRequest, pk: int) -> HttpResponse:
    """What a folded line of the timeline stands for; nothing for an address that means nothing."""
    lead = _visible(request, pk)
    group, narrowing = request.GET.get("group", ""), _narrowing(request)
    after = request.GET.get("after", "")
    unfolded = timeline.unfold(lead, group, after, narrowing) or timeline.Unfolded([], "")
    template = "leads/_timeline_group.html" if request.htmx else "leads/timeline_group.html"
    context = {"lead": lead, "group": group, "unfolded": unfolded, "narrowing": narrowing}
    return render(request, template, context)


def _visible(request: PageRequest, pk: int) -> Lead:
    return get_object_or_404(lead_queries.lead_in_full(request.user), pk=pk)


def _narrowing(request: PageRequest) -> timeline.Narrowing:
    kind, channel = (request.GET.get(name, "")[:100] for name in ("kind", "channel"))
    return timeline.Narrowing(kind.replace("\0", ""), channel.replace("\0", ""))


def _place_in_time(text: str) -> datetime | None:
    """The instant a page of the timeline ends before; None when the text names none."""
    try:
        at = parse_datetime(text.replace(" ", "+"))
    except ValueError:  # well formed, but no such day or hour
        return None
    return at if at and is_aware(at) else None
