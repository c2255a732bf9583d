"""Why a lead has its score, and all lines of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.formats import date_format
from django.utils.timezone import localdate, localtime
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from leads.csv_cells import csv_pieces
from leads.models import Lead
from leads.paging import row_number
from leads.refusals import Refused
from scoring import explanations
from scoring.explanations import Basis, NotKnownThen
from scoring.instants import Asked, read_asked
from users.requests import PageRequest


@require_GET
def explanation(request: PageRequest, pk: int) -> HttpResponse:
    """Why a lead has its score: a page, or the panel alone for htmx.

    `?as_of=`: when; `?rules=today`: by today's version; `?page=`: of the ledger.
    """
    lead = get_object_or_404(Lead.objects.visible_to(request.user), pk=pk)
    asked, problem = _asked(request)
    context: dict[str, Any] = {"lead": lead, "asked": asked, "problem": problem}
    try:
        books = explanations.basis(lead, asked.as_of, by_today=asked.by_today)
    except NotKnownThen as unknown:
        books = None
        context |= {"unknown": unknown, "first": Asked(unknown.known_since, asked.by_today)}
    if books is not None:
        context["panel"] = explanations.panel(lead, books, is_past=asked.as_of is not None)
    if request.htmx:
        return render(request, "scoring/_explanation.html", context)
    if books is not None:
        number = row_number(request.GET.get("page")) or 1
        context["page"] = explanations.ledger_page(books.explanation, number)
    context["today"] = localdate()
    return render(request, "scoring/explanation.html", context)


@require_GET
def ledger_csv(request: PageRequest, pk: int) -> StreamingHttpResponse:
    """All lines of the ledger as a file; the same `?as_of=` and `?rules=`."""
    lead = get_object_or_404(Lead.objects.visible_to(request.user), pk=pk)
    asked, problem = _asked(request)
    if problem:
        raise Http404
    try:
        books = explanations.basis(lead, asked.as_of, by_today=asked.by_today)
    except NotKnownThen as unknown:
        at, rows = unknown.as_of, iter([_unknown_row(unknown)])
    else:
        if books is None:
            raise Http404
        at, rows = books.explanation.as_of, _rows(books)
    response = StreamingHttpResponse(
        csv_pieces(_HEADER, rows), content_type="text/csv; charset=utf-8"
    )
    name = f"score-{lead.pk}-{localdate(at):%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


_HEADER = (
    *(_("Line"), _("Axis"), _("What counts"), _("Event"), _("When"), _("Points"), _("Left (%)")),
    *(_("Value"), _("Sum so far"), _("Version"), _("In force then")),
)


def _rows(books: Basis) -> Iterator[tuple]:
    number, was_in_force = books.explanation.version.number, books.was_in_force
    for entry in explanations.all_entries(books.explanation):
        yield (*_row(entry), number, was_in_force)


def _row(entry: explanations.Entry) -> tuple:
    line = entry.line
    left = "" if entry.left is None else f"{entry.left:.4f}"
    points = line.rule.points if line.rule else ""
    return (
        *(entry.number, entry.axis.label, entry.what, entry.title, line.occurred_at),
        *(points, left, line.value, entry.sum_so_far),
    )


def _unknown_row(unknown: NotKnownThen) -> tuple:
    """One line that says why there is none: an empty file would add up to 0."""
    sentence = _("This lead was not known yet: nobody knew of it before %(first)s.") % {
        "first": date_format(localtime(unknown.known_since), "SHORT_DATETIME_FORMAT")
    }
    return ("", "", sentence, *[""] * (len(_HEADER) - 3))


def _asked(request: HttpRequest) -> tuple[Asked, str]:
    """What is asked for, and what is wrong with it: then it is today's score.

    Whoever picks today asks for the current score, with all that is told of now.
    """
    day = request.GET.get("as_of", "")
    as_of = "" if day == localdate().isoformat() else day
    try:
        return read_asked(as_of, request.GET.get("rules", "")), ""
    except Refused as refusal:
        return Asked(), str(refusal)
