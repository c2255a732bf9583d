"""Traffic: who visited, by which way, which pages, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from django.db.models import QuerySet
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
from leads.csv_cells import csv_pieces
from users.models import User
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
    return csv_response(csv_pieces(header, rows), f"traffic-{freshness.today}.csv")


@require_GET
def visits(request: PageRequest) -> HttpResponse:
    """The visits behind a figure."""
    return _list(request, VISITS)


@require_GET
def visits_csv(request: PageRequest) -> StreamingHttpResponse:
    return _file(request, VISITS)


@require_GET
def leads(request: PageRequest) -> HttpResponse:
    """The leads behind a figure."""
    return _list(request, LEADS)


@require_GET
def leads_csv(request: PageRequest) -> StreamingHttpResponse:
    return _file(request, LEADS)


class Kind[Wanted: (lists.WantedVisits, lists.WantedLeads)](NamedTuple):
    """What may stand behind a figure: what the address asks for, the rows that this means, one
    page of them, and all of them as lines of a file."""

    template: str
    read_wanted: Callable[[Mapping[str, str]], Wanted]
    rows: Callable[[User, Wanted, TrafficFilters], QuerySet]
    read_page: Callable[[QuerySet, str], lists.VisitPage | drilldown.Page]
    lines: Callable[[QuerySet], tuple[list, Iterator]]


VISITS = Kind(
    "insights/traffic_visits.html",
    lists.read_wanted_visits,
    lists.visits_behind,
    lists.read_visit_page,
    lambda rows: visit_lines(lists.visits_in_batches(rows)),
)
LEADS = Kind(
    "insights/traffic_leads.html",
    lists.read_wanted_leads,
    lists.leads_behind,
    lambda rows, after: drilldown.read_page(rows, drilldown.ORDERS[0], after),
    lambda rows: export.stay_lines(drilldown.in_batches(rows)),
)


def _list(request: PageRequest, kind: Kind) -> HttpResponse:
    """One page of the rows, all of them counted in the same snapshot."""
    with one_snapshot():
        freshness = read_traffic_freshness()
        filters = read_traffic_filters(request.GET, freshness.today)
        wanted = kind.read_wanted(request.GET)
        rows = kind.rows(request.user, wanted, filters)
        page = kind.read_page(rows, request.GET.get("after", ""))
        count = rows.count()
    context = _about(filters, freshness) | {
        "wanted": wanted,
        "page": page,
        "count": count,
        "list_query": filters.query(**wanted.params()),
        "after_query": filters.query(**wanted.params(), after=page.after),
    }
    return render(request, kind.template, context)


def _file(request: PageRequest, kind: Kind) -> StreamingHttpResponse:
    """The same rows as CSV, all of them; who took them stands in the audit log."""
    freshness = read_traffic_freshness()
    filters = read_traffic_filters(request.GET, freshness.today)
    wanted = kind.read_wanted(request.GET)
    rows = kind.rows(request.user, wanted, filters)
    record_export(request.user, filters.params() | wanted.params())
    header, lines = kind.lines(rows)
    return csv_response(csv_pieces(header, lines), f"{wanted.file_name}-{freshness.today}.csv")


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
