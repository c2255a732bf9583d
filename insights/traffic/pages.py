"""The pages of “Traffic”: how often they were seen, and what those who saw them reached."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connection

from insights.reports import load
from insights.traffic.filters import TrafficFilters
from insights.traffic.folding import GOALS
from insights.traffic.report import PageLine

MOST_LINES = 50


def read_pages(filters: TrafficFilters) -> list[PageLine]:
    """The first lines in the order asked for.

    Cells know pages for all visits and by channel. Narrowed further, they are counted from the
    visits themselves, as the list behind each figure is.
    """
    is_in_cells = set(filters.segment) <= {"channel"}
    names = ("traffic_page_sums", "traffic_page_goal_sums")
    if not is_in_cells:
        names = ("traffic_pages_seen", "traffic_pages_before")
    params: dict[str, Any] = {
        **{name: filters.segment.get(name) for name in ("channel", "source", "campaign")},
        "from_on": filters.period.from_on,
        "until_on": filters.period.until_on,
        "zone": settings.REPORTING_TIME_ZONE,
        "goals": list(GOALS),
    }
    lines: dict[str, PageLine] = {}
    with connection.cursor() as cursor:
        cursor.execute(load(names[0]), params)
        for path, visits, raw, views, engaged in cursor.fetchall():
            lines[path] = PageLine(path, visits, raw, views, int(engaged))
        cursor.execute(load(names[1]), params)
        for path, stage, leads in cursor.fetchall():
            lines.setdefault(path, PageLine(path)).goals[stage] = leads
    ranked = sorted(lines.values(), key=lambda line: (-_rank(line, filters.order), line.path))
    return ranked[:MOST_LINES]


def _rank(line: PageLine, order: str) -> int:
    return line.goals[order] if order in GOALS else getattr(line, order)
