"""Every page in the sidebar, for everybody: accessible, within the screen, without a complaint."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.factories import AccountFactory, LeadFactory, tell_events

LOOKS = [("light", 1280), ("dark", 360)]


@pytest.fixture
def content(mia, sam, mona, ana, drain_all) -> None:
    account = AccountFactory()
    for title in ("CEO", "Head of Production", ""):
        lead = LeadFactory(account=account, title=title, has_consent=bool(title), owner=sam)
        tell_events(lead, "page_viewed 2d ago /", "pricing_page_viewed 1d ago /pricing")
    drain_all()


def places(page: Page) -> list[str]:
    """The addresses of the sidebar, without the admin, which is Django's own."""
    links = page.locator("aside a[href^='/'], .navbar-vertical a[href^='/']")
    found = {links.nth(n).get_attribute("href") for n in range(links.count())}
    return sorted(place for place in found if place and not place.startswith(("/admin", "/user")))


def is_within_screen(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


@pytest.mark.parametrize(("color_scheme", "width"), LOOKS)
@pytest.mark.parametrize("who", ["mia", "sam", "mona", "ana"])
def test_every_page_of(who, color_scheme, width, content, request, signed_in, run_axe):
    page = signed_in(request.getfixturevalue(who), color_scheme=color_scheme, width=width)
    found = []
    pages = places(page)
    assert len(pages) >= 4
    for place in pages:
        assert page.goto(place).status == 200, place
        page.wait_for_function("!document.querySelector('.htmx-request')")
        found += [f"{place} {violation}" for violation in run_axe(page)]
        if not is_within_screen(page):
            found.append(f"{place} is wider than the screen")
    assert found == []


@pytest.mark.parametrize(("color_scheme", "width"), LOOKS)
def test_a_lead_page_is_accessible(content, signed_in, mia, run_axe, color_scheme, width):
    page = signed_in(mia, color_scheme=color_scheme, width=width)
    page.goto("/leads/")
    page.locator("main table a[href^='/leads/']").first.click()
    page.wait_for_load_state("networkidle")
    assert is_within_screen(page)
    assert run_axe(page) == []


def test_the_same_in_korean(content, signed_in, mia):
    page = signed_in(mia, locale="ko")
    page.goto("/leads/")
    assert page.locator("html").get_attribute("lang") == "ko"
    assert page.locator("h1").inner_text() == "리드"
