"""Dates in files: one order of day, month and year per file, never guessed per row."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.db import models
from django.utils.translation import gettext_lazy as _


class DateOrder(models.TextChoices):
    DMY = "dmy", _("day – month – year")
    MDY = "mdy", _("month – day – year")
    YMD = "ymd", _("year – month – day")


ALL_ORDERS = frozenset(DateOrder.values)
FIRST_YEAR, LAST_YEAR = 1900, 2199

_NUMERIC = re.compile(r"(\d{1,4})\s?([-/.])\s?(\d{1,2})\s?\2\s?(\d{1,4})\.?(?:[T ,]+(.+))?$")
_COMPACT = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)(?:T?(\d{6}Z?))?$")
_KOREAN = re.compile(r"(\d{4})년\s?(\d{1,2})월\s?(\d{1,2})일(?:\s+(.+))?$")
_DAY_NAMED = re.compile(r"(\d{1,2})[-. ]+([A-Za-z]{3,9})[-., ]+(\d{2,4})(?:[ ,]+(.+))?$")
_NAMED_DAY = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})(?:[ ,]+(.+))?$")
_TIME = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*([AaPp]\.?[Mm]\.?)?"
    r"\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True)
class Moment:
    """A point in time as a file gave it. Without a time it means the whole `day`."""

    at: datetime
    day: date
    has_time: bool


@dataclass(frozen=True)
class _Parts:
    """What a cell says: `numbers` in the file's order, or in `order` when that is certain."""

    numbers: tuple[int, int, int]
    widths: tuple[int, int, int]
    order: str
    time: str


@lru_cache(maxsize=8192)
def orders_that_fit(text: str) -> frozenset[str] | None:
    """The orders in which `text` is a real date; None when it does not look like a date."""
    parts = _split(text)
    if parts is None:
        return None
    return frozenset(order for order in ALL_ORDERS if _day(parts, order) is not None)


def needs_order(text: str) -> bool:
    """Whether a date means another day in another order (`2018-02-12` does not)."""
    parts = _split(text)
    return parts is not None and not parts.order


def orders_of_column(values: Iterable[str]) -> frozenset[str] | None:
    """The orders that fit every date of a column; None without dates.

    A date that fits no order at all (31 February) says nothing about the others.
    Empty when the dates contradict each other.
    """
    remaining: frozenset[str] | None = None
    for value in values:
        if fits := orders_that_fit(value):
            remaining = fits if remaining is None else remaining & fits
    return remaining


def parse(text: str, order: str, zone: ZoneInfo) -> Moment | None:
    """Read a cell. Times without an offset are in `zone`; None when it is no date in `order`.

    Without an order only those dates are read that are certain, like `2018-02-12`.
    """
    parts = _split(text)
    day = parts and _day(parts, order)
    if not parts or not day:
        return None
    if not parts.time:
        return Moment(datetime.combine(day, time.min, zone), day, has_time=False)
    clock = _clock(parts.time, zone)
    if clock is None:
        return None
    at = datetime.combine(day, clock)
    return Moment(at, at.astimezone(zone).date(), has_time=True)


@lru_cache(maxsize=8192)
def _split(text: str) -> _Parts | None:
    text = text.strip()
    if not 6 <= len(text) <= 40 or not any(c.isdigit() for c in text):
        return None
    if match := _NUMERIC.match(text):
        first, _sep, second, third, clock = match.groups()
        certain = DateOrder.YMD if len(first) == 4 else ""
        return _parts((first, second, third), certain, clock)
    if match := _COMPACT.match(text):
        return _parts(match.groups()[:3], DateOrder.YMD, _spaced(match[4]))
    if match := _KOREAN.match(text):
        return _parts(match.groups()[:3], DateOrder.YMD, match[4])
    return _split_named(text)


def _split_named(text: str) -> _Parts | None:
    if match := _DAY_NAMED.match(text):
        day, name, year, clock = match.groups()
    elif match := _NAMED_DAY.match(text):
        name, day, year, clock = match.groups()
    else:
        return None
    if name[:3].lower() not in _MONTHS:
        return None
    month = _MONTHS.index(name[:3].lower()) + 1
    return _parts((day, str(month), year), DateOrder.DMY, clock)


def _parts(numbers: tuple[str, ...], certain: str, clock: str | None) -> _Parts:
    first, second, third = numbers
    return _Parts(
        (int(first), int(second), int(third)),
        (len(first), len(second), len(third)),
        certain,
        (clock or "").strip(),
    )


def _spaced(compact: str | None) -> str:
    return f"{compact[:2]}:{compact[2:4]}:{compact[4:]}" if compact else ""


def _day(parts: _Parts, order: str) -> date | None:
    order = parts.order or order
    if not order:
        return None
    places = {letter: place for place, letter in enumerate(order)}
    year, month, day = (parts.numbers[places[letter]] for letter in "ymd")
    year_width = parts.widths[places["y"]]
    if year_width not in (2, 4) or any(parts.widths[places[letter]] > 2 for letter in "md"):
        return None
    if year_width == 2:
        year += 1900 if year >= 69 else 2000
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _clock(text: str, zone: ZoneInfo) -> time | None:
    match = _TIME.match(text)
    if not match:
        return None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if half := (match[4] or "").lower():
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    try:
        return time(hour, minute, min(second, 59), tzinfo=_offset(match[5]) or zone)
    except ValueError:
        return None


def _offset(text: str | None) -> timezone | None:
    if not text:
        return None
    if text in ("Z", "UTC", "GMT"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(size if text[0] == "+" else -size)
