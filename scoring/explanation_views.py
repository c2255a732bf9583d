"""Why a lead has its score, and all lines of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from leads.csv_cells import csv_pieces
from leads.models import Lead
from leads.paging import row_number
from leads.refusals import Refused
from scoring import explanations
from scoring.instants import read_instant
from users.requests import PageRequest


@require_GET
def explanation(request: PageRequest, pk: int) -> HttpResponse:
    """Why a lead has its score: a page, or the panel alone for htmx.

    `?as_of=`: when; `?rules=today`: by today's version; `?page=`: of the ledger.
    """
    lead = get_object_or_404(Lead.objects.visible_to(request.user), pk=pk)
    as_of, problem = _instant(request)
    books = explanations.basis(lead, as_of, by_today=_is_by_today(request))
    context: dict[str, Any] = {"lead": lead, "as_of": as_of, "problem": problem}
    if books is not None:
        context["panel"] = explanations.panel(lead, books, is_past=as_of is not None)
    if request.htmx:
        return render(request, "scoring/_explanation.html", context)
    if books is not None:
        number = row_number(request.GET.get("page")) or 1
        context["page"] = explanations.ledger_page(books.explanation, number)
    context |= {"today": localdate(), "is_by_today": _is_by_today(request)}
    return render(request, "scoring/explanation.html", context)


@require_GET
def ledger_csv(request: PageRequest, pk: int) -> StreamingHttpResponse:
    """All lines of the ledger as a file; the same `?as_of=` and `?rules=`."""
    lead = get_object_or_404(Lead.objects.visible_to(request.user), pk=pk)
    as_of, problem = _instant(request)
    books = explanations.basis(lead, as_of, by_today=_is_by_today(request))
    if problem or books is None:
        raise Http404
    why = books.explanation
    response = StreamingHttpResponse(
        csv_pieces(_HEADER, map(_row, explanations.all_entries(why))),
        content_type="text/csv; charset=utf-8",
    )
    name = f"score-{lead.pk}-{localdate(why.as_of):%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


_HEADER = (
    *(_("Line"), _("Axis"), _("What counts"), _("Event"), _("When"), _("Points"), _("Left (%)")),
    *(_("Value"), _("Sum so far")),
)


def _row(entry: explanations.Entry) -> tuple:
    line = entry.line
    left = "" if entry.left is None else f"{entry.left:.4f}"
    points = line.rule.points if line.rule else ""
    return (
        *(entry.number, entry.axis.label, entry.what, entry.title, line.occurred_at),
        *(points, left, line.value, entry.sum_so_far),
    )


def _instant(request: HttpRequest) -> tuple[datetime | None, str]:
    """The instant that is asked for, and what is wrong with it: then it is today's score."""
    try:
        return read_instant(request.GET.get("as_of", "")), ""
    except Refused as refusal:
        return None, str(refusal)


def _is_by_today(request: HttpRequest) -> bool:
    return request.GET.get("rules") == "today"
