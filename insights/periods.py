"""Half-open spans of days in the reporting time zone, as plain dates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

PRESETS = ("30d", "90d", "quarter", "12m", "all")
DEFAULT_PRESET = "12m"
# The first and last day that both Python and PostgreSQL know.
EVER, FOREVER = date.min, date.max
DAY = timedelta(days=1)

Span = tuple[date, date]


@dataclass(frozen=True)
class Period:
    """Days from `from_on` to before `until_on`. `preset` is empty for a custom period.

    A period that includes today is open-ended, so that the current month counts whole.
    """

    from_on: date
    until_on: date
    preset: str = ""

    @property
    def is_all_time(self) -> bool:
        """Whether something has happened in it whenever it did."""
        return self.from_on == EVER and self.until_on == FOREVER

    def last_on(self, today: date) -> date:
        """The last day to print."""
        return today if self.until_on == FOREVER else self.until_on - DAY


def preset_period(preset: str, today: date) -> Period:
    """One of PRESETS, ending with today. "12m" is this month and the eleven before it."""
    starts = {
        "30d": today - timedelta(days=29),
        "90d": today - timedelta(days=89),
        "quarter": today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1),
        "12m": next_month(today.replace(year=today.year - 1, day=1)),
        "all": EVER,
    }
    return Period(starts[preset], FOREVER, preset)


def custom_period(from_on: date, to_on: date, today: date) -> Period:
    """From the first to the last day, both included."""
    return Period(from_on, FOREVER if to_on >= today else to_on + DAY)


def month_of(day: date) -> date:
    """The first day of the month."""
    return day.replace(day=1)


def next_month(day: date) -> date:
    """The first day of the month after `day`; FOREVER at the end of time."""
    if day >= date(9999, 12, 1):
        return FOREVER
    return day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1, day=1)


def local_day(instant: datetime, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


def matured_before(as_of: datetime, days: int, zone: str) -> date:
    """The first day that is too young: all days before it ended at least `days` × 24 h ago."""
    # In UTC: elsewhere a day of the calendar may have 23 or 25 hours.
    return local_day(as_of.astimezone(UTC) - timedelta(days=days), zone)


def week_of(day: date) -> date:
    """The first day of the month's week: the 1st, 8th, 15th or 22nd; the last has up to 10 days."""
    return day.replace(day=min((day.day - 1) // 7, 3) * 7 + 1)


def next_week(day: date) -> date:
    """The first day of the week of the month after that of `day`; FOREVER at the end of time."""
    start = week_of(day)
    return next_month(day) if start.day == 22 else start + timedelta(days=7)


@dataclass(frozen=True)
class Grain:
    """Spans that cells are counted by."""

    start_of: Callable[[date], date]
    next_after: Callable[[date], date]


MONTHS = Grain(month_of, next_month)
WEEKS = Grain(week_of, next_week)


def split(period: Period, cut: date, grain: Grain) -> tuple[list[Span], list[Span]]:
    """The whole months (or weeks) of a period and its left-over days, both as spans of days.

    The month in which `cut` lies, other than at its first day, is left over too.
    """
    start = grain.start_of(period.from_on)
    first = start if start == period.from_on else grain.next_after(period.from_on)
    end = FOREVER if period.until_on == FOREVER else grain.start_of(period.until_on)
    if first >= end:
        return [], _without_empty((period.from_on, period.until_on))
    days = [(period.from_on, first), (end, period.until_on)]
    whole = [(first, end)]
    if first < cut < end and cut != grain.start_of(cut):
        whole = [(first, grain.start_of(cut)), (grain.next_after(cut), end)]
        days.append((grain.start_of(cut), grain.next_after(cut)))
    return _without_empty(*whole), _without_empty(*days)


def _without_empty(*spans: Span) -> list[Span]:
    return [(start, end) for start, end in spans if start < end]


def months_between(first: date, last: date) -> list[date]:
    """The first days of all months from that of `first` to that of `last`."""
    months, month = [], month_of(first)
    while month <= last:
        months.append(month)
        month = next_month(month)
    return months
