"""People who looked and never said who they are, and the machines between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from funnel_app.demo import browsing
from funnel_app.demo.company import PAGES
from funnel_app.demo.happenings import MACHINE, Happening
from funnel_app.demo.market import COUNTRIES, ORIGINS, Origin
from funnel_app.demo.prospects import Weighted
from funnel_app.demo.seasons import Calendar, by_day

_COUNTRIES = Weighted(COUNTRIES)
_WAYS = Weighted([origin for origin in ORIGINS if origin.starts == "form"])
CRAWLERS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
)


@dataclass(slots=True)
class Stranger:
    """A visitor who stays one; `crawler` is the user agent of a machine."""

    number: int
    origin: Origin
    happenings: list[Happening]
    crawler: str = ""


def strangers(seed: int, calendar: Calendar, events: int) -> Iterator[Stranger]:
    """Visitors with exactly `events` happenings between them."""
    told = number = 0
    while told < events:
        stranger = _tell(seed, number, calendar)
        stranger.happenings = stranger.happenings[: events - told]
        if stranger.happenings:
            yield stranger
        told += len(stranger.happenings)
        number += 1


def _tell(seed: int, number: int, calendar: Calendar) -> Stranger:
    rng = Random(-(seed * 1_000_000_007 + number) - 1)  # noqa: S311 - a story, not a secret
    if rng.random() < 0.04:
        return Stranger(number, _WAYS.draw(rng), _crawl(rng, calendar), rng.choice(CRAWLERS))
    origin = _WAYS.draw(rng)
    zone = _COUNTRIES.draw(rng).zone
    happenings: list[Happening] = []
    at = calendar.draw(rng, "steady", calendar.start, calendar.end)
    for _nth in range(rng.choice((1, 1, 1, 1, 2, 3))):
        campaign = origin.campaign if not happenings else ""
        happenings += browsing.visit(rng, by_day(at, zone, rng), 0, campaign=campaign)
        at += timedelta(days=rng.expovariate(1 / 6) + 0.7)
    inside = (h for h in happenings if calendar.start <= h.at < calendar.end)
    return Stranger(number, origin, sorted(inside, key=lambda happening: happening.at))


def _crawl(rng: Random, calendar: Calendar) -> list[Happening]:
    """A machine that reads page after page, several a second."""
    at = calendar.draw(rng, "steady", calendar.start, calendar.end - timedelta(hours=1))
    told = []
    for page in rng.sample(PAGES, rng.randint(4, len(PAGES))):
        at += timedelta(seconds=rng.uniform(0.2, 2))
        told.append(Happening(at, "page_viewed", page.path, page.title, 0, {}, "", MACHINE))
    return told
