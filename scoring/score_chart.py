"""The score over time as SVG: lines broken where the version changed, marks where it moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from scoring.score_history import DAYS, Day

WIDTH, HEIGHT = 600, 140
MOST_MOVES = 3  # named in one mark


@dataclass(frozen=True)
class Mark:
    """A place in the picture and the sentence that belongs to it."""

    x: str
    y: str
    text: str


@dataclass(frozen=True)
class Chart:
    """`lines`: points of polylines. `high` and `low`: the score at the upper and lower edge.

    `reckoned_by`: the number of the version that days before it came into force are told by.
    """

    lines: list[str]
    marks: list[Mark]
    breaks: list[Mark]
    threshold_y: str
    high: Decimal
    low: Decimal
    first: datetime
    last: datetime
    is_whole: bool  # no day is missing, for the lead was known on all of them
    reckoned_by: int | None


def draw(days: Sequence[Day]) -> Chart | None:
    """None when there is too little to draw. Upper edge: the threshold at least; lower: 0."""
    if len(days) < 2:
        return None
    scores = [day.point.score for day in days]
    threshold = days[-1].version.threshold
    low, high = min(*scores, Decimal(0)), max(*scores, threshold, Decimal(1))
    xs = [f"{place * WIDTH / (len(days) - 1):.1f}" for place in range(len(days))]
    ys = [_height(score, low, high) for score in scores]
    places = list(zip(xs, ys, days, strict=True))
    return Chart(
        lines=_lines(places),
        marks=[Mark(x, y, sentence(day)) for x, y, day in places if day.moves],
        breaks=[Mark(x, y, break_sentence(day)) for x, y, day in places if day.comes_into_force],
        threshold_y=_height(threshold, low, high),
        high=high,
        low=low,
        first=days[0].point.at,
        last=days[-1].point.at,
        is_whole=len(days) == DAYS + 1,
        reckoned_by=None if days[0].was_in_force else days[0].version.number,
    )


def _height(score: Decimal, low: Decimal, high: Decimal) -> str:
    return f"{HEIGHT - float(score - low) * HEIGHT / float(high - low):.1f}"


def _lines(places: Sequence[tuple[str, str, Day]]) -> list[str]:
    lines: list[list[str]] = [[]]
    for x, y, day in places:
        if day.is_break:
            lines.append([])
        lines[-1].append(f"{x},{y}")
    return [" ".join(points) for points in lines]


def sentence(day: Day) -> str:
    """3 Nov: 74.00. Requested a demo (+35), Unsubscribed (-30) and 2 more"""
    named = [f"{move.words} ({_signed(move.points)})" for move in day.moves[:MOST_MOVES]]
    more = len(day.moves) - len(named)
    what = ", ".join(named)
    if more > 0:
        what += " " + ngettext("and %(n)s more", "and %(n)s more", more) % {"n": more}
    return _("%(day)s: %(score)s. %(what)s") % {
        "day": date_format(localtime(day.point.at), "SHORT_DATE_FORMAT"),
        "score": number_format(day.point.score, 2),
        "what": what,
    }


def break_sentence(day: Day) -> str:
    return _("%(day)s: version %(number)s comes into force.") % {
        "day": date_format(localtime(day.point.at), "SHORT_DATE_FORMAT"),
        "number": day.version.number,
    }


def _signed(points: float) -> str:
    return f"{points:+g}"
