"""Visits to the website: what people look at, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from funnel_app.demo.company import CAREERS, COMPARE, PAGES, PRICING, SUPPORT, Asset, Page
from funnel_app.demo.happenings import Happening
from funnel_app.demo.prospects import Weighted

_PAGES = Weighted(PAGES)
_LENGTHS = Weighted((1, 2, 3, 4, 5, 7), (34, 24, 18, 12, 8, 4))


def visit(
    rng: Random, at: datetime, device: int, *pages: Page, campaign: str = "", length: int = 0
) -> Iterator[Happening]:
    """One visit that begins at `at` with `pages`, going on to `length` (else some) more."""
    more = length or _LENGTHS.draw(rng)
    for nth in range(len(pages) + more):
        page = pages[nth] if nth < len(pages) else _PAGES.draw(rng)
        seconds = min(int(rng.lognormvariate(3.3, 0.9)) + 2, 1_500)
        kind = "pricing_page_viewed" if page is PRICING else "page_viewed"
        yield Happening(
            at,
            kind,
            page.path,
            page.title,
            device,
            {"engaged_seconds": seconds},
            campaign if nth == 0 else "",
        )
        at += timedelta(seconds=seconds + rng.randrange(1, 9))


def ask_for(rng: Random, at: datetime, device: int, asset: Asset) -> Iterator[Happening]:
    """Fill in the form before `asset` so that it is sent at `at`, and download what it guards."""
    seconds = rng.randrange(25, 140)
    yield Happening(
        at - timedelta(seconds=seconds),
        "page_viewed",
        asset.page,
        asset.title,
        device,
        {"engaged_seconds": seconds},
    )
    yield Happening(at, "form_submitted", asset.page, asset.title, device, {"form": asset.title})
    if asset.path:
        yield Happening(
            at + timedelta(seconds=rng.randrange(2, 20)),
            "file_downloaded",
            asset.path,
            asset.title,
            device,
            {"asset": asset.title},
        )


def look_for_work(rng: Random, at: datetime, device: int) -> Iterator[Happening]:
    """A visit of someone who wants a job or a thesis, not a product."""
    return visit(rng, at, device, CAREERS, CAREERS, length=1)


def weigh_up(rng: Random, at: datetime, device: int) -> Iterator[Happening]:
    """A visit of someone who compares and counts."""
    return visit(rng, at, device, _PAGES.draw(rng), PRICING, COMPARE, PRICING, length=1)


def need_help(rng: Random, at: datetime, device: int) -> Iterator[Happening]:
    """A customer on the support pages."""
    return visit(rng, at, device, SUPPORT, length=rng.randint(1, 2))
