"""A weight is changed, signed by marketing and sales, and scores change, in a real browser."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import expect

from leads.actors import Actor
from leads.models import Lead, Standing
from scoring import drafting
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


@pytest.mark.parametrize(("color_scheme", "width"), [("light", 1280), ("dark", 360)])
def test_after_saving_each_step_leads_to_the_next(
    signed_in, ana, lead, drain_all, run_axe, color_scheme, width
):
    draft = drafting.clone_to_draft(ModelVersion.objects.active().pk, by=Actor.of(ana))
    page = signed_in(ana, color_scheme=color_scheme, width=width)
    page.goto(f"/scoring/versions/{draft.number}/")
    following = page.locator("nav.way [aria-current=step]")
    expect(following).to_have_text("Change weights")
    following.click()
    rule = draft.rules.get(signal__key="demo")
    row = page.locator(f"tr:has(input[type=hidden][value='{rule.pk}'])").first
    row.locator("input[name$=-points]").fill(str(rule.points + 20))
    page.locator("input[name=_save]").click()
    page.get_by_role("link", name="See what it would change").click()
    expect(page.locator("nav.way [aria-current=page]")).to_have_text("Preview")
    assert run_axe(page) == []
    following.click()
    page.get_by_role("button", name="Test this version").click()
    drain_all()
    page.reload()
    expect(following).to_contain_text("Ask for signatures")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    following.click()
    expect(page.get_by_role("button", name="Submit for signature")).to_be_visible()
