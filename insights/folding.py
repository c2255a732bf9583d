"""Keeping the roll-ups current: a drain for the relay, and the rebuild from nothing.

One process folds at a time (advisory lock of the transaction), so cells need no
locks of their own. A lead that cannot be folded is tried alone, and left aside
after five attempts.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils.timezone import now

from insights.filters import WINDOWS
from insights.layout import layout
from insights.models import Rollup, StaleLead, Stay
from insights.reports import load
from insights.rules import day_code
from insights.scope import UNKNOWN_DAY_SQL
from leads.stages import FUNNEL
from tracking.models import Visitor

MAX_ATTEMPTS = 5
VISITORS_COUNTED_EVERY = timedelta(minutes=1)
_LOCK = 0x66_6F_6C_64  # any number that no other advisory lock uses
_KEY = ("lead_id", "seq")
COLUMNS = tuple(field.column for field in Stay._meta.concrete_fields if field.column)


def drain(limit: int = 1000) -> int:
    """Fold up to `limit` changed leads into the roll-ups. Returns how many rows of work it took."""
    if not Rollup.objects.filter(layout=layout()).exists():
        return rebuild()
    _count_visitors()
    work = _claim(limit)
    if work:
        _fold(work)
    return len(work)


def _count_visitors() -> None:
    """Once a minute: there are too many visitors to count them for every page."""
    due = Q(visitors_counted_at=None) | Q(visitors_counted_at__lt=now() - VISITORS_COUNTED_EVERY)
    if Rollup.objects.filter(due).exists():
        count = Visitor.objects.filter(lead=None).count()
        Rollup.objects.update(visitor_count=count, visitors_counted_at=now())


def _claim(limit: int) -> list[tuple[int, int]]:
    """Count an attempt on the next rows of work, (id, lead id), before anything can fail.

    What failed before comes after all that is new, and alone.
    """
    with transaction.atomic():
        if not _try_lock():
            return []
        fresh = StaleLead.objects.filter(attempt_count=0).order_by("id")[:limit]
        tried = StaleLead.objects.filter(attempt_count__range=(1, MAX_ATTEMPTS - 1)).order_by(
            "attempt_count", "id"
        )[:1]
        work = list(fresh.values_list("id", "lead_id")) or list(tried.values_list("id", "lead_id"))
        StaleLead.objects.filter(id__in=[row for row, _lead in work]).update(
            attempt_count=F("attempt_count") + 1
        )
    return work


@transaction.atomic
def _fold(work: list[tuple[int, int]]) -> None:
    _lock()
    leads = sorted({lead for _row, lead in work})
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '60s'")
        cursor.execute(_fold_sql(), {"leads": leads, "zone": settings.REPORTING_TIME_ZONE})
        cursor.execute("DELETE FROM insights_cell WHERE stay_count = 0")
    StaleLead.objects.filter(id__in=[row for row, _lead in work]).delete()


@transaction.atomic
def rebuild() -> int:
    """Make the roll-ups anew from all episodes. Returns the number of stays.

    Readers see the old figures until the commit.
    """
    _lock()
    zone = settings.REPORTING_TIME_ZONE
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL work_mem = '256MB'")
        cursor.execute("SET LOCAL jit = off")
        # First, so that a change which we do not see yet leaves its work behind.
        cursor.execute("DELETE FROM insights_stalelead")
        cursor.execute("DELETE FROM insights_cell")
        cursor.execute("DELETE FROM insights_stay")
        # In the order of days, so that those of a month lie close together.
        stays = in_columns(load("stays", leads="")) + " ORDER BY entered_on"
        columns = ", ".join(COLUMNS)
        cursor.execute(f"INSERT INTO insights_stay ({columns}) {stays}", {"zone": zone})
        count = cursor.rowcount
        cells = cells_of("(SELECT *, 1 AS sign FROM insights_stay)")
        cursor.execute(f"INSERT INTO insights_cell {cells} ORDER BY 1, 2, 3")
    Rollup.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO insights_rollup (layout, rebuilt_at) VALUES (%s, now())", [layout()]
        )
    return count


def _fold_sql() -> str:
    changing = [column for column in COLUMNS if column not in _KEY]
    return load(
        "fold",
        fresh=in_columns(load("stays", leads="AND episode.lead_id = ANY(%(leads)s)")),
        cells=cells_of("changes"),
        columns=", ".join(COLUMNS),
        changing=", ".join(changing),
        excluded=", ".join(f"excluded.{column}" for column in changing),
    )


def cells_of(stays: str) -> str:
    """The cells that these stays add up to."""
    windows = ", ".join(str(day_code(days)) for days in WINDOWS)
    funnel = ", ".join(f"'{stage.value}'" for stage in FUNNEL)
    return load("cells", stays=stays, windows=windows, funnel=funnel, unknown_day=UNKNOWN_DAY_SQL)


def in_columns(stays: str) -> str:
    return f"SELECT {', '.join(COLUMNS)} FROM ({stays}) AS fresh_stay"  # noqa: S608


def _lock() -> None:
    """Wait for our turn to fold; a rebuild may take longer than an ordinary lock_timeout."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '60s'")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _try_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return cursor.fetchone()[0]
