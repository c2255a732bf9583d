"""When things happen: growth, seasons, fairs, weekdays and office hours."""

from __future__ import annotations

from bisect import bisect
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

# January … December: budgets open in spring, Europe sleeps in August, everyone in late December.
_MONTHS = (0.9, 1.0, 1.15, 1.2, 1.1, 1.0, 0.85, 0.6, 1.15, 1.2, 1.1, 0.6)
_WEEKDAYS = (1.0, 1.15, 1.15, 1.05, 0.85, 0.2, 0.2)
# The spring fair: two weeks in April; webinars: every second Tuesday of a month.
_FAIR = (date(2000, 4, 8), date(2000, 4, 24))
GROWTH_PER_YEAR = 1.7
DAY = timedelta(days=1)


def busyness(day: date, start: date, rhythm: str = "steady") -> float:
    """How much happens on `day`, relative to an ordinary day at the start of the story."""
    years = (day - start).days / 365.25
    level = GROWTH_PER_YEAR**years * _MONTHS[day.month - 1] * _WEEKDAYS[day.weekday()]
    if rhythm == "fair":
        return level * (14.0 if _is_fair(day) else 0.05)
    if rhythm == "webinar":
        return level * (12.0 if day.weekday() == 1 and 8 <= day.day <= 14 else 0.6)
    if day.month == 12 and day.day > 20:
        return level * 0.3
    return level


def _is_fair(day: date) -> bool:
    return _FAIR[0] <= day.replace(year=2000) < _FAIR[1]


class Calendar:
    """The days of the story, [start, end): draws moments as busy as the business was."""

    def __init__(self, start: datetime, end: datetime) -> None:
        self.start, self.end = start, end
        self._curves: dict[str, list[float]] = {}

    def draw(self, rng: Random, rhythm: str, since: datetime, until: datetime) -> datetime:
        """A moment in [since, until), more likely on busy days. Needs since < until."""
        curve = self._curve(rhythm)
        first, last = (since - self.start).days, (until - self.start).days
        low = curve[first]
        high = curve[min(last + 1, len(curve) - 1)]
        day = bisect(curve, low + rng.random() * (high - low)) - 1
        at = self.start + day * DAY + timedelta(seconds=rng.random() * 86_400)
        return min(max(at, since), until - timedelta(minutes=1))

    def total(self, rhythm: str, since: datetime, until: datetime) -> float:
        """The whole busyness between two moments, cut at whole days."""
        curve = self._curve(rhythm)
        size = len(curve) - 1
        first = min(max((since - self.start).days, 0), size)
        last = min(max((until - self.start).days, 0), size)
        return curve[last] - curve[first]

    def _curve(self, rhythm: str) -> list[float]:
        if rhythm not in self._curves:
            days = (self.end - self.start).days + 1
            first = self.start.date()
            levels = (busyness(first + n * DAY, first, rhythm) for n in range(days))
            self._curves[rhythm] = [0.0, *accumulate(levels)]
        return self._curves[rhythm]


@lru_cache(maxsize=32)
def zone_of(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def at_work(at: datetime, zone: str, rng: Random) -> datetime:
    """The first moment not before `at` when an office in `zone` is open (9 to 18, Mon to Fri)."""
    local = at.astimezone(zone_of(zone))
    if local.weekday() < 5 and 9 <= local.hour < 18:
        return at
    if local.weekday() >= 5 or local.hour >= 18:
        local = local.replace(hour=0, minute=0) + DAY
    while local.weekday() >= 5:
        local += DAY
    local = local.replace(hour=9, minute=0, second=0) + timedelta(seconds=rng.random() * 7_200)
    return local.astimezone(at.tzinfo)


def office_hours_before(at: datetime, hours: float, zone: str) -> datetime:
    """The moment so many working hours (9 to 17, Mon to Fri) before `at`."""
    wall = at.astimezone(zone_of(zone)).replace(tzinfo=None)
    left = timedelta(hours=hours)
    while True:
        opened = wall.replace(hour=9, minute=0, second=0, microsecond=0)
        worked = min(wall, opened + timedelta(hours=8)) - opened
        if wall.weekday() < 5 and worked >= left:
            return (opened + worked - left).replace(tzinfo=zone_of(zone)).astimezone(at.tzinfo)
        if wall.weekday() < 5 and worked > timedelta(0):
            left -= worked
        wall = opened - timedelta(hours=9, microseconds=1)


def by_day(at: datetime, zone: str, rng: Random) -> datetime:
    """`at` moved to an hour of the same local day at which people there browse."""
    local = at.astimezone(zone_of(zone))
    hour = rng.triangular(7, 23, 11)
    local = local.replace(hour=int(hour), minute=int(hour % 1 * 60), second=rng.randrange(60))
    return local.astimezone(at.tzinfo)
