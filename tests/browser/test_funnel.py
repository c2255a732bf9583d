"""A marketer reads the funnel, in a real browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.timezone import now
from playwright.sync_api import expect

from leads import lifecycle
from leads.actors import Actor
from tests.factories import LeadFactory

IMPORT = Actor.importer("history")


@pytest.fixture
def history(transactional_db, drain_all) -> None:
    """Ten leads; four became MQLs, two were accepted, one of them via paid search."""
    for number in range(10):
        channel = "paid_search" if number % 2 else "event"
        lead = LeadFactory(channel=channel, known_at=now() - timedelta(days=200))
        for stage, is_reached in (("mql", number < 4), ("sal", number in (0, 1))):
            if is_reached:
                at = now() - timedelta(days=190 if stage == "mql" else 180)
                lifecycle.record_imported_step(lead.pk, stage, by=IMPORT, at=at)
    drain_all()


def test_a_marketer_reads_the_funnel_and_opens_the_leads_behind_a_figure(signed_in, mia, history):
    page = signed_in(mia)
    assert "/funnel/" in page.url
    expect(page.get_by_role("img").first).to_be_visible()
    behind = page.locator("a[href*='figure=reached'][href*='stage=mql']").first
    expect(behind).to_have_text("4")
    behind.click()
    expect(page.locator("main table tbody tr")).to_have_count(4)


def test_a_segment_is_chosen_and_stays_in_the_address(signed_in, mia, history):
    page = signed_in(mia)
    page.locator("select[name=channel]").select_option("paid_search")
    page.wait_for_url(lambda url: "channel=paid_search" in url)
    behind = page.locator("a[href*='figure=reached'][href*='stage=mql']").first
    expect(behind).to_have_text("2")
    page.reload()
    expect(page.locator("select[name=channel]")).to_have_value("paid_search")
    expect(behind).to_have_text("2")


def test_the_funnel_of_a_new_company_says_what_to_do_next(signed_in, mia, drain_all):
    drain_all()
    page = signed_in(mia)
    expect(page.get_by_text("No leads yet.")).to_be_visible()
