"""A weight is changed, signed by marketing and sales, and scores change, in a real browser."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import expect

from leads.models import Lead, Standing
from scoring.models import ModelVersion
from tests.factories import LeadFactory, tell_events


@pytest.fixture
def lead(transactional_db) -> Lead:
    lead = LeadFactory(has_consent=True, title="CEO")
    tell_events(lead, "demo_requested 1h ago")
    return lead


def total(lead: Lead) -> Decimal:
    return Standing.objects.get(pk=lead.pk).score


def test_a_weight_is_changed_signed_by_two_and_scores_change(
    signed_in, ana, mia, mona, lead, drain_all
):
    before = total(lead)
    active = ModelVersion.objects.active()
    page = signed_in(ana)
    page.goto(f"/admin/scoring/modelversion/{active.pk}/change/")
    page.get_by_role("button", name="Clone to a draft").click()
    page.wait_for_url(lambda url: f"/{active.pk}/" not in url)
    draft = ModelVersion.objects.exclude(pk=active.pk).get()

    rule = draft.rules.get(signal__key="demo")
    row = page.locator(f"tr:has(input[type=hidden][value='{rule.pk}'])").first
    row.locator("input[name$=-points]").fill(str(rule.points + 20))
    page.locator("input[name=_continue]").click()
    expect(page.locator(".messagelist")).to_be_visible()

    page.get_by_role("link", name="Preview and have it signed").click()
    page.get_by_role("button", name="Submit for signature").click()
    expect(page.get_by_text("waits for its signatures")).to_be_visible()
    for signer in (mia, mona):
        other = signed_in(signer)
        other.goto(f"/scoring/versions/{draft.number}/")
        other.get_by_role("button", name="Sign", exact=True).click()
        expect(other.get_by_text(f"You have signed version {draft.number}.")).to_be_visible()
    page.goto(f"/scoring/versions/{draft.number}/")
    page.get_by_role("button", name=f"Publish version {draft.number}").click()
    expect(page.get_by_text("is on its way")).to_be_visible()
    drain_all()

    assert ModelVersion.objects.active() == draft
    assert total(lead) > before + 15
    page.goto(f"/scoring/leads/{lead.pk}/")
    expect(page.get_by_text(f"by version {draft.number} of the scoring model")).to_be_visible()
    expect(page.locator("main")).to_contain_text(str(total(lead)))
