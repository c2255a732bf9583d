"""A rep works the inbox by keyboard, in a real browser."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, expect

from leads.actors import Actor
from leads.models import Lead, Standing
from sales import handoff as handoffs
from sales.models import Handoff
from tests.sales.conftest import become_mql

# Longer than the inbox holds a decision back.
PATIENCE_MS = 15_000
NAMES = ("Ada", "Ben", "Cleo")


@pytest.fixture
def three(sam, ana) -> list[Handoff]:
    """Three hand-offs of Sam's, the best first."""
    for place, name in enumerate(NAMES):
        lead = become_mql(ana, first_name=name, last_name="Roy")
        Standing.objects.filter(lead=lead).update(score=90 - 10 * place)
    return list(Handoff.objects.order_by("pk"))


@pytest.fixture
def inbox(signed_in, sam, three) -> Page:
    page = signed_in(sam)
    page.goto("/inbox/")
    expect(page.locator("[data-handoff]")).to_have_count(3)
    return page


def detail(page: Page):
    return page.locator("#handoff-detail h2")


def stages() -> list[str]:
    return list(Lead.objects.order_by("pk").values_list("stage", flat=True))


def test_a_rep_accepts_and_rejects_by_keyboard(inbox):
    expect(detail(inbox)).to_have_text("Ada Roy")
    inbox.keyboard.press("j")
    expect(detail(inbox)).to_have_text("Ben Roy")
    inbox.keyboard.press("a")
    expect(detail(inbox)).to_have_text("Cleo Roy")
    inbox.keyboard.press("r")
    inbox.keyboard.press("2")
    inbox.keyboard.press("Enter")
    expect(detail(inbox)).to_have_text("Ada Roy")
    expect(inbox.locator("[data-handoff]:visible")).to_have_count(1)
    expect(inbox.get_by_text("Ben Roy: accepted.")).to_be_visible(timeout=PATIENCE_MS)
    expect(inbox.get_by_text("Cleo Roy: rejected.")).to_be_visible(timeout=PATIENCE_MS)
    expect(inbox.locator("[data-waiting-count]")).to_have_text("1 waiting")
    assert stages() == ["mql", "sal", "qualified"]
    assert Handoff.objects.get(state="rejected").reject_reason.code == "bad_timing"


def test_quick_fingers_reject_who_is_chosen_not_who_was_shown(inbox):
    inbox.route("**/inbox/*/", lambda route: (time.sleep(0.5), route.continue_()))
    for key in ("j", "r"):
        inbox.keyboard.press(key)
    expect(inbox.locator("#handoff-detail details[open]")).to_be_visible()
    expect(detail(inbox)).to_have_text("Ben Roy")


def test_a_decision_can_be_taken_back_for_a_moment(inbox):
    inbox.keyboard.press("a")
    expect(inbox.get_by_text("Ada Roy: accepted")).to_be_visible()
    inbox.keyboard.press("u")
    expect(detail(inbox)).to_have_text("Ada Roy")
    expect(inbox.locator("[data-handoff]:visible")).to_have_count(3)
    inbox.wait_for_timeout(6_000)
    assert stages() == ["mql"] * 3


def test_leaving_the_page_sends_what_is_held_back(inbox):
    inbox.keyboard.press("a")
    expect(detail(inbox)).to_have_text("Ben Roy")
    inbox.goto("/pipeline/")
    for _try in range(50):
        if stages() == ["sal", "mql", "mql"]:
            break
        inbox.wait_for_timeout(100)
    assert stages() == ["sal", "mql", "mql"]


def test_a_colleague_was_faster(inbox, three, mona):
    handoffs.accept(three[0].pk, by=Actor.of(mona))
    inbox.keyboard.press("a")
    refusal = inbox.get_by_role("alert")
    expect(refusal).to_contain_text("Mona was faster: Ada Roy was accepted", timeout=PATIENCE_MS)
    expect(inbox.locator("[data-handoff]:visible")).to_have_count(2)


def test_enter_opens_the_lead_and_question_mark_helps(inbox):
    inbox.keyboard.press("?")
    expect(inbox.get_by_role("dialog")).to_be_visible()
    inbox.keyboard.press("Escape")
    expect(inbox.get_by_role("dialog")).to_be_hidden()
    inbox.keyboard.press("j")
    inbox.keyboard.press("Enter")
    expect(inbox.locator("h1")).to_contain_text("Ben Roy")


def test_one_letter_shortcuts_can_be_switched_off(inbox):
    inbox.keyboard.press("?")
    inbox.get_by_label("Use shortcuts of one letter").uncheck()
    inbox.get_by_role("button", name="Close").click()
    inbox.keyboard.press("a")
    inbox.wait_for_timeout(500)
    expect(inbox.locator("[data-handoff]:visible")).to_have_count(3)


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_inbox_is_accessible_and_fits(
    signed_in, sam, mona, three, run_axe, color_scheme, width
):
    handoffs.assign(three[0].pk, None, by=Actor.of(mona))
    page = signed_in(sam, color_scheme=color_scheme, width=width)
    for address in ("/inbox/", "/inbox/?tab=accepted", "/pipeline/", "/customers/"):
        page.goto(address)
        assert run_axe(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
    page.goto("/inbox/")
    page.get_by_text("Reject …").click()
    assert run_axe(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(page.get_by_text("Undo (u)")).to_be_visible()
    assert run_axe(page) == []
