"""The books of ingest on a phone: every figure of a day stands within the screen, by its name."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils.timezone import localdate

from tests.browser.test_every_page import is_within_screen
from tracking.models import IngestCount, Source

FIGURES = ("Received", "Accepted", "Duplicate", "Rejected", "Quarantined", "Difference")


@pytest.fixture
def books(transactional_db) -> None:
    """A day of a source of which something was rejected, for two reasons."""
    source = Source.objects.create(name="Website of the whole company")
    counts = {"received": 123_456, "accepted": 123_000, "duplicate": 400, "quarantined": 6}
    for outcome, count in counts.items():
        IngestCount.objects.create(source=source, day=localdate(), outcome=outcome, count=count)
    for reason in ("no_such_event", "too_long"):
        IngestCount.objects.create(
            source=source, day=localdate(), outcome="rejected", reason=reason, count=25
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_figure_of_a_day_fits_on_a_phone(signed_in, mia, books, run_axe, scheme):
    page = signed_in(mia, color_scheme=scheme, width=360)
    page.goto(reverse("tracking:books"))
    table = page.locator("table.stacked")
    assert table.evaluate("it => it.parentElement.scrollWidth <= it.parentElement.clientWidth")
    for row in table.locator("tbody tr, tfoot tr").all():
        for name in FIGURES:
            box = row.locator(f"td[data-label='{name}']").bounding_box()
            assert box and box["x"] >= 0 and box["x"] + box["width"] <= 360, name
    assert is_within_screen(page)
    assert run_axe(page) == []


def test_beside_more_room_it_is_a_table(signed_in, mia, books):
    page = signed_in(mia)
    page.goto(reverse("tracking:books"))
    assert page.locator("table.stacked thead").is_visible()
