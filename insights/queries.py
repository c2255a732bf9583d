"""What the funnel pages read. Every figure is of leads that the reader may see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db import connection, transaction

from insights import rules
from insights.filters import DIMENSIONS, Filters
from insights.layout import layout
from insights.models import Cell
from insights.periods import local_day, matured_before
from insights.report import (
    Durations,
    FunnelReport,
    ReachCount,
    StepCount,
    build_report,
)
from insights.reports import load
from insights.scope import UNKNOWN_DAY_SQL, Scope
from leads.channels import Channel
from leads.countries import countries
from users.models import User

MOST_OPTIONS = 100


@dataclass(frozen=True)
class Freshness:
    """`now` by the database's clock; `as_of`, up to when every change is in the figures."""

    now: datetime
    as_of: datetime
    is_ready: bool
    visitor_count: int | None = None

    @property
    def today(self) -> date:
        return local_day(self.now, settings.REPORTING_TIME_ZONE)


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Let all figures of a page come from the same instant, so that they add up."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def read_freshness() -> Freshness:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT statement_timestamp(), rollup.layout, rollup.visitor_count,
                (SELECT queued_at FROM insights_stalelead ORDER BY id LIMIT 1)
            FROM (SELECT) AS always LEFT JOIN insights_rollup AS rollup ON true
            """
        )
        now, known_layout, visitor_count, waiting_since = cursor.fetchone()
    as_of = min(waiting_since or now, now)
    return Freshness(now, as_of, known_layout == layout(), visitor_count)


def funnel_report(user: User, filters: Filters, freshness: Freshness) -> FunnelReport:
    """All figures of the funnel page, in one query."""
    scope = Scope(user, filters.segment)
    current, steps, durations, reaches, undated = _count(scope, filters, freshness)
    return build_report(
        filters,
        freshness.as_of,
        now=dict(current or []),
        steps=[
            StepCount(stage, date.fromisoformat(month) if month else None, *rest)
            for stage, month, *rest in steps or []
        ],
        durations=[
            Durations(stage, is_open, dict(zip(lengths, counts, strict=True)))
            for stage, is_open, lengths, counts in durations or []
        ],
        reaches=[ReachCount(*row) for row in reaches or []],
        undated=dict(undated or []),
    )


def first_young_day(freshness: Freshness, days: int) -> date:
    """The first day whose stays are younger than `days`."""
    return matured_before(freshness.now, days, settings.REPORTING_TIME_ZONE)


def _count(scope: Scope, filters: Filters, freshness: Freshness) -> tuple:
    """Rows of the reports current, steps, durations, reach and undated; None for one without."""
    young_on = first_young_day(freshness, filters.window)
    captured_young_on = first_young_day(freshness, filters.horizon)
    prelude, current, undated = scope.prelude(), scope.current(), scope.undated()
    steps = scope.facts(Cell.Measure.STEP, filters.period, young_on)
    times = scope.facts(Cell.Measure.TIME, filters.period)
    reaches = scope.facts(Cell.Measure.REACH, filters.period, captured_young_on)
    params: dict[str, object] = {
        "matured_before": young_on,
        "window": rules.day_code(filters.window),
        "captured_matured_before": captured_young_on,
        "horizon": rules.day_code(filters.horizon),
        "today": freshness.today,
    }
    for rows in (prelude, current, steps, times, reaches, undated):
        params |= rows.params
    sql = load(
        "figures",
        prelude=prelude.sql,
        current=current.sql,
        steps=load("steps", facts=steps.sql, unknown_day=UNKNOWN_DAY_SQL),
        durations=load("durations", facts=times.sql),
        reach=load("reach", facts=reaches.sql),
        undated=undated.sql,
    )
    return _rows(sql, params)[0]


@dataclass(frozen=True)
class Option:
    """One value of a dimension, and how many leads have it."""

    value: str
    label: str
    lead_count: int


def segment_options(user: User) -> dict[str, list[Option]]:
    """What each dimension can be narrowed to, commonest first."""
    counts: dict[str, dict[str, int]] = {name: {} for name in DIMENSIONS}
    scope = Scope(user, {})
    if scope.is_everyone:
        sql, params = load("options"), {}
    else:
        visible = scope.visible_sql("id")
        sql, params = load("options_of_leads", segment=visible.sql), visible.params
    for name, value, lead_count in _rows(sql, params):
        counts[name][value] = lead_count
    return {name: _options(name, values) for name, values in counts.items()}


def _options(name: str, counts: dict[str, int]) -> list[Option]:
    labels = _labels(name, list(counts))
    options = [
        Option(value, labels.get(value, value), count) for value, count in counts.items() if count
    ]
    return sorted(options, key=lambda option: (-option.lead_count, option.label))[:MOST_OPTIONS]


def _labels(name: str, values: list[str]) -> dict[str, str]:
    """How people call the values; values without an entry are called by themselves."""
    if name == "channel":
        return {value: str(label) for value, label in Channel.choices}
    if name == "country":
        return {value: str(countries.name(value) or value) for value in values}
    if name == "owner":
        owners = User.objects.filter(pk__in=[value for value in values if value])
        return {str(owner.pk): str(owner) for owner in owners}
    return {}


def _rows(sql: str, params: dict) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
