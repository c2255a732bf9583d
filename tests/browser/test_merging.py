"""From a suggestion to one lead, and back to two."""

from __future__ import annotations

import pytest

from leads import duplicates
from leads.models import Lead, Merge
from leads.stages import Stage
from tests.browser.test_every_page import is_within_screen
from tests.factories import AccountFactory, LeadFactory, tell_events

LOOKS = [("light", 1280), ("dark", 360)]


@pytest.fixture
def twins(sam) -> tuple[Lead, Lead]:
    acme = AccountFactory(name="Acme")
    ada = LeadFactory(
        email="ada.lovelace.with.a.long.address@analytical-engines.example", first_name="Ada",
        last_name="L.", title="Countess", account=acme, phone="", owner=sam,
    )  # fmt: skip
    twin = LeadFactory(
        email="ada.lovelace.with.a.long.address+fair@analytical-engines.example",
        first_name="Ada", last_name="Lovelace", title="CEO", phone="+49 30 1234567",
    )  # fmt: skip
    tell_events(twin, "page_viewed 2d ago /", "pricing_page_viewed 1d ago /pricing")
    duplicates.search()
    return ada, twin


@pytest.mark.parametrize(("color_scheme", "width"), LOOKS)
def test_two_leads_become_one_and_two_again(twins, mia, signed_in, run_axe, color_scheme, width):
    ada, twin = twins
    page = signed_in(mia, color_scheme=color_scheme, width=width)
    found = []

    def look() -> None:
        page.wait_for_load_state("networkidle")
        # A message that is just fading has no contrast.
        page.evaluate("document.querySelectorAll('[data-toast]').forEach(it => it.remove())")
        found.extend(run_axe(page))
        assert is_within_screen(page), page.url

    page.goto("/leads/")
    page.get_by_role("link", name="Duplicates").click()
    look()
    page.get_by_role("link", name="Compare").click()
    look()
    last_name = page.get_by_role("group", name="Last name")
    last_name.get_by_label("Lovelace").check()
    page.get_by_role("button", name="Merge").click()
    page.get_by_text("are one lead now").wait_for()
    look()
    ada.refresh_from_db()
    assert (ada.last_name, ada.phone) == ("Lovelace", twin.phone)
    page.get_by_role("region", name="Merged into this lead").get_by_role("link").click()
    look()
    page.get_by_label("How do you know that these are two people?").fill("two people")
    page.get_by_role("button", name="Take apart").click()
    look()
    twin.refresh_from_db()
    assert twin.stage == Stage.LEAD and not Merge.objects.get().is_open
    page.goto(f"/leads/{ada.pk}/merge/?q=ada")
    look()
    assert found == []
