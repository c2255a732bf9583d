"""The funnel, and the leads behind each of its figures."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render

from insights import charts, drilldown, export, page
from insights.definitions import describe_period
from insights.filters import read_filters
from insights.queries import (
    Freshness,
    funnel_report,
    one_snapshot,
    read_freshness,
    segment_options,
)
from insights.reasons import count_reasons
from insights.report import FunnelReport
from insights.scope import Scope
from leads.audit import record_export
from leads.csv_cells import csv_pieces
from users.requests import PageRequest


def funnel(request: PageRequest) -> HttpResponse:
    """Page and fragment in one: htmx asks for the figures only."""
    with one_snapshot():
        freshness = read_freshness()
        filters = read_filters(request.GET, freshness.today)
        report = funnel_report(request.user, filters, freshness)
        options = {} if request.htmx else segment_options(request.user)
    context = _funnel_context(report, freshness) | {
        "sees_everyone": Scope(request.user, {}).is_everyone,
    }
    if request.htmx:
        return render(request, "insights/funnel.html#figures", context)
    context |= {
        "selects": page.selects(filters, options),
        "days": page.days_shown(filters, freshness.today),
    }
    return render(request, "insights/funnel.html", context)


def _funnel_context(report: FunnelReport, freshness: Freshness) -> dict:
    filters = report.filters
    return {
        "filters": filters,
        "freshness": freshness,
        "report": report,
        "period": describe_period(filters, freshness),
        "leaks": page.leaks(report),
        "months": page.month_rows(report, freshness.today),
        "definitions": page.definitions(filters, freshness),
        "charts": {"funnel": charts.funnel_chart(report), "flow": charts.flow_chart(report)},
        "query": filters.query(),
    }


def funnel_csv(request: PageRequest) -> StreamingHttpResponse:
    """The table of stages under the same filters."""
    with one_snapshot():
        freshness = read_freshness()
        filters = read_filters(request.GET, freshness.today)
        report = funnel_report(request.user, filters, freshness)
    segment = ", ".join(f"{name} {value or '–'}" for name, value in filters.segment.items())
    header, rows = export.stage_lines(report, freshness, segment)
    return csv_response(csv_pieces(header, rows), f"funnel-{freshness.today}.csv")


def reasons(request: PageRequest) -> HttpResponse:
    """Why stays dropped out of a stage: a page, or a fragment inside the funnel page."""
    with one_snapshot():
        freshness = read_freshness()
        filters = read_filters(request.GET, freshness.today)
        wanted = drilldown.read_wanted(request.GET.dict() | {"figure": "drop_off"})
        stays = drilldown.stays_behind(request.user, wanted, filters, freshness)
        counted = count_reasons(stays)
        total = stays.count()
    context = {
        "filters": filters,
        "freshness": freshness,
        "wanted": wanted,
        "reasons": counted,
        "total": total,
        "period": describe_period(filters, freshness),
        "query": filters.query(),
        "sees_everyone": Scope(request.user, {}).is_everyone,
    }
    template = "insights/reasons.html#reasons" if request.htmx else "insights/reasons.html"
    return render(request, template, context)


def leads(request: PageRequest) -> HttpResponse:
    """The leads behind a figure: as many rows as the figure says."""
    with one_snapshot():
        freshness = read_freshness()
        filters = read_filters(request.GET, freshness.today)
        wanted = drilldown.read_wanted(request.GET)
        stays = drilldown.stays_behind(request.user, wanted, filters, freshness)
        rows = drilldown.read_page(stays, wanted.order, request.GET.get("after", ""))
        count = stays.count()
    context = {
        "filters": filters,
        "freshness": freshness,
        "wanted": wanted,
        "page": rows,
        "count": count,
        "period": describe_period(filters, freshness),
        "query": filters.query(),
        "list_query": filters.query(**wanted.params()),
        "other_order_query": filters.query(**wanted.params() | {"order": wanted.other_order}),
        "sees_everyone": Scope(request.user, {}).is_everyone,
        "after_query": filters.query(**wanted.params() | {"after": rows.after}),
    }
    return render(request, "insights/leads.html", context)


def leads_csv(request: PageRequest) -> StreamingHttpResponse:
    """The same list as a file, as long as it takes."""
    freshness = read_freshness()
    filters = read_filters(request.GET, freshness.today)
    wanted = drilldown.read_wanted(request.GET)
    stays = drilldown.stays_behind(request.user, wanted, filters, freshness)
    record_export(request.user, filters.params() | wanted.params())
    header, rows = export.stay_lines(drilldown.in_batches(stays))
    name = f"{wanted.name}-{wanted.stage}-{freshness.today}.csv"
    return csv_response(csv_pieces(header, rows), name)


def csv_response(lines: Iterable[str], name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
