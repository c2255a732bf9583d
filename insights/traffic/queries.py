"""What the page “Traffic” reads: cells of days, whole periods in a few milliseconds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import connection

from insights.periods import local_day, matured_before
from insights.traffic.filters import TrafficFilters
from insights.traffic.folding import GOALS, LEAD_WINDOW
from insights.traffic.pages import read_pages
from insights.traffic.report import Cohort, Flow, SourceLine, TrafficReport

MOST_LINES = 50
MOST_OPTIONS = 100


@dataclass(frozen=True)
class TrafficFreshness:
    """`now` by the database's clock; `as_of`, up to when every event is in the figures."""

    now: datetime
    as_of: datetime
    is_ready: bool

    @property
    def today(self) -> date:
        return local_day(self.now, settings.REPORTING_TIME_ZONE)


def read_traffic_freshness() -> TrafficFreshness:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT statement_timestamp(), EXISTS (SELECT FROM insights_trafficrollup),
                   least((SELECT queued_at FROM insights_staletraffic ORDER BY id LIMIT 1),
                         (SELECT queued_at FROM tracking_stalevisits ORDER BY id LIMIT 1),
                         (SELECT e.received_at FROM tracking_pendingevent p
                            JOIN tracking_event e ON e.id = p.event_id
                           ORDER BY p.event_id LIMIT 1))
            """
        )
        now, is_ready, waiting_since = cursor.fetchone()
    return TrafficFreshness(now, min(waiting_since or now, now), is_ready)


def traffic_report(filters: TrafficFilters, freshness: TrafficFreshness) -> TrafficReport:
    """All figures of the page."""
    young_on = matured_before(freshness.now, LEAD_WINDOW, settings.REPORTING_TIME_ZONE)
    lines = {line.name: line for line in _sources(filters, young_on)}
    for name, stage, leads in _goals(filters):
        lines.setdefault(name, SourceLine(name)).goals[stage] = leads
    everyone = list(lines.values())
    human = _sum(line.human for line in everyone)
    raw = _sum(line.raw for line in everyone)
    human.visitors, raw.visitors = _visitors(filters)
    everyone.sort(key=lambda line: (-line.human.visits, -sum(line.goals.values()), line.name))
    return TrafficReport(
        human=human,
        raw=raw,
        cohort=Cohort(
            sum(line.cohort.mature for line in everyone),
            sum(line.cohort.became_leads for line in everyone),
            sum(line.cohort.immature for line in everyone),
            sum(line.cohort.young_leads for line in everyone),
        ),
        goals={goal: sum(line.goals[goal] for line in everyone) for goal in GOALS},
        lines=everyone[:MOST_LINES],
        pages=read_pages(filters),
        young_on=young_on,
    )


def source_options() -> dict[str, list[str]]:
    """The commonest sources and campaigns of the last 90 days, for the filter bar."""
    found = {}
    with connection.cursor() as cursor:
        for name in ("source", "campaign"):
            cursor.execute(
                f"""
                SELECT {name} FROM insights_trafficcell
                 WHERE NOT is_machine AND {name} <> '' AND day > current_date - 90
                 GROUP BY 1 ORDER BY sum(visits) DESC, 1 LIMIT %s
                """,  # noqa: S608 - names of columns
                [MOST_OPTIONS],
            )
            found[name] = [row[0] for row in cursor.fetchall()]
    return found


def _sources(filters: TrafficFilters, young_on: date) -> Iterable[SourceLine]:
    where, params = _where(filters)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {filters.by}, is_machine, sum(visits), sum(page_views), sum(engaged_ms),
                   sum(new_visitors),
                   coalesce(sum(new_visitors) FILTER (WHERE day < %(young_on)s), 0),
                   coalesce(sum(became_leads) FILTER (WHERE day < %(young_on)s), 0),
                   sum(became_leads)
              FROM insights_trafficcell WHERE {where} GROUP BY 1, 2
            """,  # noqa: S608 - names of columns
            {**params, "young_on": young_on},
        )
        lines: dict[str, SourceLine] = {}
        for name, is_machine, visits, views, engaged, new, *aged in cursor.fetchall():
            line = lines.setdefault(name, SourceLine(name))
            flow = Flow(0, visits, views, int(engaged), new)
            line.raw = _sum([line.raw, flow])
            if not is_machine:
                line.human = flow
                mature, became, leads = aged
                line.cohort = Cohort(mature, became, new - mature, leads - became)
    return lines.values()


def _goals(filters: TrafficFilters) -> list[tuple[str, str, int]]:
    where, params = _where(filters)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {filters.by}, stage, sum(leads) FROM insights_goalcell"  # noqa: S608
            f" WHERE {where} GROUP BY 1, 2",
            params,
        )
        return cursor.fetchall()


def _visitors(filters: TrafficFilters) -> tuple[int, int]:
    """(human, raw): each visitor once. A human who is also a machine's id counts in both."""
    where, params = _where(filters)
    if set(filters.segment) <= {"channel"}:
        params["channel"] = filters.segment.get("channel", "")
        sql = """
            SELECT is_machine, sum(visits) FROM insights_returncell
             WHERE day >= %(from_on)s AND day < %(until_on)s AND channel = %(channel)s
               AND (previous_on < %(from_on)s OR previous_on = '0001-01-01') GROUP BY 1"""
    else:
        sql = f"""
            SELECT is_machine, count(DISTINCT anonymous_id) FROM tracking_visit
             WHERE started_at >= %(from_on)s::timestamp AT TIME ZONE %(zone)s
               AND started_at < %(until_on)s::timestamp AT TIME ZONE %(zone)s
               AND {where.partition(" AND ")[2].partition(" AND ")[2] or "true"} GROUP BY 1"""  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, {**params, "zone": settings.REPORTING_TIME_ZONE})
        found = dict(cursor.fetchall())
    human = int(found.get(False, 0))
    return human, human + int(found.get(True, 0))


def _where(filters: TrafficFilters) -> tuple[str, dict[str, Any]]:
    """The condition that a cell lies in the period and the segment."""
    conditions = ["day >= %(from_on)s", "day < %(until_on)s"]
    conditions += [f"{name} = %({name})s" for name in filters.segment]
    params = {"from_on": filters.period.from_on, "until_on": filters.period.until_on}
    return " AND ".join(conditions), {**params, **filters.segment}


def _sum(flows: Iterable[Flow]) -> Flow:
    total = Flow()
    for flow in flows:
        total.visits += flow.visits
        total.page_views += flow.page_views
        total.engaged_ms += flow.engaged_ms
        total.new_visitors += flow.new_visitors
    return total
