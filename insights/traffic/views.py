"""Traffic: who visited, by which way, which pages, and what came of it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from insights import drilldown, export
from insights.page import PERIOD_LABELS
from insights.periods import EVER
from insights.queries import one_snapshot
from insights.traffic import lists
from insights.traffic.definitions import DEFINITIONS
from insights.traffic.export import source_lines, visit_lines
from insights.traffic.filters import BREAKDOWNS, SEGMENT, TrafficFilters, read_traffic_filters
from insights.traffic.queries import (
    TrafficFreshness,
    read_traffic_freshness,
    source_options,
    traffic_report,
)
from insights.views import csv_response
from leads.audit import record_export
from leads.channels import Channel
from leads.csv_cells import csv_lines
from users.requests import PageRequest


@require_GET
def traffic(request: PageRequest) -> HttpResponse:
    """Page and fragment in one: htmx asks for the figures only."""
    with one_snapshot():
        freshness = read_traffic_freshness()
        filters = read_traffic_filters(request.GET, freshness.today)
        report = traffic_report(filters, freshness)
        options = {} if request.htmx else source_options()
    context = _about(filters, freshness) | {"report": report, "definitions": DEFINITIONS}
    if request.htmx:
        return render(request, "insights/traffic.html#figures", context)
    context |= {
        "periods": PERIOD_LABELS,
        "channels": Channel.choices,
        "options": options,
        "days": _days(filters, freshness),
    }
    return render(request, "insights/traffic.html", context)


@require_GET
def traffic_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The table of channels, sources or campaigns under the same filters."""
    with one_snapshot():
        freshness = read_traffic_freshness()
        filters = read_traffic_filters(request.GET, freshness.today)
        report = traffic_report(filters, freshness)
    header, rows = source_lines(report, filters, freshness)
    return csv_response(csv_lines(header, rows), f"traffic-{freshness.today}.csv")


@require_GET
def visits(request: PageRequest) -> HttpResponse:
    """The visits behind a figure."""
    with one_snapshot():
        freshness = read_traffic_freshness()
        filters = read_traffic_filters(request.GET, freshness.today)
        wanted = lists.read_wanted_visits(request.GET)
        found = lists.visits_behind(request.user, wanted, filters)
        page = lists.read_visit_page(found, request.GET.get("after", ""))
        count = found.count()
    context = _about(filters, freshness) | {
        "wanted": wanted,
        "page": page,
        "count": count,
        "list_query": filters.query(**wanted.params()),
        "after_query": filters.query(**wanted.params(), after=page.after),
    }
    return render(request, "insights/traffic_visits.html", context)


@require_GET
def visits_csv(request: PageRequest) -> StreamingHttpResponse:
    freshness = read_traffic_freshness()
    filters = read_traffic_filters(request.GET, freshness.today)
    wanted = lists.read_wanted_visits(request.GET)
    found = lists.visits_behind(request.user, wanted, filters)
    record_export(request.user, filters.params() | wanted.params())
    header, rows = visit_lines(lists.visits_in_batches(found))
    return csv_response(csv_lines(header, rows), f"{wanted.figure}-{freshness.today}.csv")


@require_GET
def leads(request: PageRequest) -> HttpResponse:
    """The leads behind a figure."""
    with one_snapshot():
        freshness = read_traffic_freshness()
        filters = read_traffic_filters(request.GET, freshness.today)
        wanted = lists.read_wanted_leads(request.GET)
        stays = lists.leads_behind(request.user, wanted, filters)
        page = drilldown.read_page(stays, drilldown.ORDERS[0], request.GET.get("after", ""))
        count = stays.count()
    context = _about(filters, freshness) | {
        "wanted": wanted,
        "page": page,
        "count": count,
        "list_query": filters.query(**wanted.params()),
        "after_query": filters.query(**wanted.params(), after=page.after),
    }
    return render(request, "insights/traffic_leads.html", context)


@require_GET
def leads_csv(request: PageRequest) -> StreamingHttpResponse:
    freshness = read_traffic_freshness()
    filters = read_traffic_filters(request.GET, freshness.today)
    wanted = lists.read_wanted_leads(request.GET)
    stays = lists.leads_behind(request.user, wanted, filters)
    record_export(request.user, filters.params() | wanted.params())
    header, rows = export.stay_lines(drilldown.in_batches(stays))
    return csv_response(csv_lines(header, rows), f"{wanted.stage}-{freshness.today}.csv")


def _about(filters: TrafficFilters, freshness: TrafficFreshness) -> dict:
    return {
        "filters": filters,
        "freshness": freshness,
        "period": PERIOD_LABELS[filters.period.preset or "custom"],
        "first_on": None if filters.period.from_on == EVER else filters.period.from_on,
        "last_on": filters.period.last_on(freshness.today),
        "query": filters.query(),
        "breakdowns": BREAKDOWNS,
        "segment_names": SEGMENT,
    }


def _days(filters: TrafficFilters, freshness: TrafficFreshness) -> tuple:
    from_on = filters.period.from_on
    return (None if from_on == EVER else from_on), filters.period.last_on(freshness.today)
