"""The score of a past day in a real browser: readable, and a way out of a time without one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.timezone import localdate
from playwright.sync_api import expect

from leads.actors import Actor
from leads.capture import capture_lead
from leads.lead_queries import known_since
from leads.models import Lead
from scoring.models import ModelVersion
from tests.browser.test_every_page import LOOKS, is_within_screen
from tests.factories import tell_events


@pytest.fixture
def lead(transactional_db, drain_all) -> Lead:
    """Known for ten days when version 1 came into force, which was when the tables were made."""
    lead, _was_new = capture_lead(
        by=Actor.system("test"),
        email="yuna@acme.example",
        profile={"title": "CEO"},
        first_seen_at=ModelVersion.objects.active().published_at - timedelta(days=10),
    )
    tell_events(lead, "pricing_page_viewed 4d ago /pricing")
    drain_all()
    return lead


@pytest.mark.parametrize(("color_scheme", "width"), LOOKS)
def test_a_past_day(signed_in, mia, lead, run_axe, color_scheme, width):
    page = signed_in(mia, color_scheme=color_scheme, width=width)
    page.goto(f"/scoring/leads/{lead.pk}/")
    page.get_by_label("Score at the end of").fill(
        f"{localdate(known_since(lead)) - timedelta(days=5):%Y-%m-%d}"
    )
    page.get_by_role("button", name="Show").click()
    panel = page.get_by_label("Why this score")
    expect(panel).to_contain_text("this lead was not known yet")
    assert run_axe(page) == [] and is_within_screen(page)
    panel.get_by_role("link", name="When it became known").click()
    expect(panel).to_contain_text("Reckoned back by version 1")
    expect(page.get_by_role("link", name="JSON")).to_be_visible()
    assert run_axe(page) == [] and is_within_screen(page)
    page.get_by_role("link", name="Today", exact=True).click()
    expect(panel).to_contain_text("points are missing")
    assert run_axe(page) == []
