"""Keeping the cells of traffic current: days that changed are counted anew from their visits."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from insights.reports import load
from insights.traffic_models import (
    GoalCell,
    PageCell,
    PageGoalCell,
    ReturnCell,
    StaleTraffic,
    TrafficCell,
    TrafficRollup,
)
from leads.stages import Stage

LEAD_WINDOW = 30  # days in which a new visitor becomes a lead, or does not
GOALS = (Stage.QUALIFIED.value, Stage.MQL.value, Stage.CUSTOMER.value)
MAX_ATTEMPTS = 5
MOST_DAYS = 20  # counted in one transaction
CELLS = (TrafficCell, ReturnCell, PageCell, GoalCell, PageGoalCell)
REPORTS = ("cells", "returns", "pages", "goals", "page_goals")
_LOCK = 0x74_72_61_66


def drain(limit: int = 1000) -> int:
    """Count days anew that something changed on. Returns how many rows of work it took."""
    if not TrafficRollup.objects.filter(layout=_layout()).exists():
        return rebuild()
    work = _claim(limit)
    if not work:
        return 0
    days = sorted({day for _row, day in work})[:MOST_DAYS]
    _fold([row for row, day in work if day in days], days)
    _give_back([row for row, day in work if day not in days])
    return len(work)


def _layout() -> str:
    return f"2 {settings.REPORTING_TIME_ZONE} {LEAD_WINDOW}"


def _claim(limit: int) -> list[tuple[int, date]]:
    """Count an attempt on the next rows of work: (id, day). What failed comes last, alone."""
    with transaction.atomic():
        if not _try_lock():
            return []
        fresh = StaleTraffic.objects.filter(attempt_count=0).order_by("id")[:limit]
        tried = StaleTraffic.objects.filter(attempt_count__range=(1, MAX_ATTEMPTS - 1)).order_by(
            "attempt_count", "id"
        )[:1]
        work = list(fresh.values_list("id", "at")) or list(tried.values_list("id", "at"))
        StaleTraffic.objects.filter(pk__in=[row for row, _at in work]).update(
            attempt_count=F("attempt_count") + 1
        )
    zone = ZoneInfo(settings.REPORTING_TIME_ZONE)
    return [(row, at.astimezone(zone).date()) for row, at in work]


def _give_back(rows: list[int]) -> None:
    """Days that there was no room for lose no attempt."""
    StaleTraffic.objects.filter(pk__in=rows).update(attempt_count=0)


@transaction.atomic
def _fold(rows: list[int], days: list[date]) -> None:
    _lock()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '60s'")
    for model in CELLS:
        model.objects.filter(day__in=days).delete()
    _count(days)
    StaleTraffic.objects.filter(pk__in=rows).delete()


def _count(days: list[date]) -> None:
    params = {
        "days": days,
        "zone": settings.REPORTING_TIME_ZONE,
        "window": LEAD_WINDOW,
        "goals": list(GOALS),
    }
    visits = load("traffic_visits")
    with connection.cursor() as cursor:
        for name in REPORTS:
            cursor.execute(load(f"traffic_{name}", visits=visits), params)


@transaction.atomic
def rebuild() -> int:
    """Make all cells anew; readers see the old ones until the commit. Returns how many days."""
    _lock()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL work_mem = '128MB'")
        cursor.execute("SET LOCAL jit = off")
    StaleTraffic.objects.all().delete()
    for model in CELLS:
        model.objects.all().delete()
    days = _all_days()
    for first in range(0, len(days), 100):
        _count(days[first : first + 100])
    TrafficRollup.objects.all().delete()
    TrafficRollup.objects.create(layout=_layout())
    return max(len(days), 1)


def _all_days() -> list[date]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT (started_at AT TIME ZONE %s)::date FROM tracking_visit
             UNION SELECT DISTINCT entered_on FROM insights_stay WHERE entered_on IS NOT NULL
             ORDER BY 1
            """,
            [settings.REPORTING_TIME_ZONE],
        )
        return [row[0] for row in cursor.fetchall()]


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '60s'")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _try_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return cursor.fetchone()[0]
