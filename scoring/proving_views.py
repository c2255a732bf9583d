"""What a version would change, and how it would have done: pages to look at before signing."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from leads.actors import Actor
from leads.paging import row_number
from scoring import backtest_page, backtesting, charts, preview_lists, previewing, publishing
from scoring.models import ModelVersion
from users.requests import PageRequest


@require_GET
def preview(request: PageRequest, number: int) -> HttpResponse:
    """Who would enter and leave, by owner and origin, and the scores before and after."""
    version = get_object_or_404(ModelVersion.objects.select_related("model"), number=number)
    context: dict[str, Any] = {
        "version": version,
        "is_in_force": version.state == ModelVersion.State.ACTIVE,
    }
    if not context["is_in_force"]:
        seen = previewing.preview(version, request.user)
        context |= {
            "preview": seen,
            "uncounted": publishing.signals_to_count(version),
            "chart": charts.paired_bars(
                [f"{bar.low:f}" for bar in seen.bins],
                [bar.before for bar in seen.bins],
                [bar.after for bar in seen.bins],
            ),
        }
    return render(request, "scoring/preview.html", context)


@require_GET
def preview_leads(request: PageRequest, number: int) -> HttpResponse:
    """The leads behind a figure of the preview that this user may see."""
    version = get_object_or_404(ModelVersion.objects.select_related("model"), number=number)
    wanted = preview_lists.Wanted.read(request.GET)
    page_number = row_number(request.GET.get("page")) or 1
    page = preview_lists.turned_leads(version, request.user, wanted, min(page_number, 100_000))
    context = {"version": version, "wanted": wanted, "page": page}
    return render(request, "scoring/preview_leads.html", context)


@require_http_methods(["GET", "POST"])
def backtest(request: PageRequest, number: int) -> HttpResponse:
    """The newest back-test of the version as it is; asking for one is a POST."""
    version = get_object_or_404(ModelVersion.objects.select_related("model"), number=number)
    if request.method == "POST":
        backtesting.request(version.pk, by=Actor.of(request.user))
        return HttpResponseRedirect(reverse("scoring:backtest", args=[number]))
    study = backtesting.newest_of(version)
    context: dict[str, Any] = {"version": version, "study": study}
    if study and study.finished_at:
        context["page"] = backtest_page.read(study, row_number(request.GET.get("capacity")))
    return render(request, "scoring/backtest.html", context)
