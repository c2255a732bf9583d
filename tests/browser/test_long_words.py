"""Names, companies and paths come from forms that anybody fills in: no word breaks a page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from insights import folding
from insights.traffic import folding as traffic
from leads.models import Lead
from tests.browser.test_every_page import is_within_screen
from tests.factories import AccountFactory, LeadFactory
from tests.tracking.conftest import crm, tell, website  # noqa: F401
from tracking import attaching, visiting
from tracking.models import Source
from tracking.storing import store

LOOKS = [("light", 1280), ("dark", 360)]
ORDINARY = "Yu-na Song-Fitzgerald of the Very Long House of Habsburg and Lothringen and Tyrol"
REASONS = ("bad_json", "no_identity", "too_large", "no_event_name", "unknown_type", "opted_out")
FIELDS = "#filter-period, #filter-channel, #filter-source"
PATH = "/" + "p" * 1_200


@pytest.fixture
def crowd(mia, tell) -> list[Lead]:  # noqa: F811
    odd = {"first_name": "W" * 80, "last_name": "", "company": "C" * 190, "title": "T" * 100}
    leads = [
        LeadFactory(email="w@x.example", has_consent=True, owner=mia, **odd),
        LeadFactory(email="y@x.example", first_name=ORDINARY[:45], last_name=ORDINARY[45:90],
                    title="Head of Production", account=AccountFactory(name="C" * 190)),
    ]  # fmt: skip
    for number, lead in enumerate(leads):
        who, url = f"v{number}", f"https://us.example{PATH}?utm_source={'s' * 90}&utm_medium=email"
        ago = timedelta(hours=2)
        tell("page", who=who, url=url, path=PATH, ago=ago, title="T" * 250)
        tell("Form Submitted", who=who, email=lead.email, form_name="F" * 200)
    tell("page", who="nobody", url="https://us.example/", path="/", ago=timedelta(hours=1))
    for drain in (attaching.drain, visiting.drain, folding.drain, traffic.drain):
        while drain():
            pass
    return leads


@pytest.mark.parametrize(("color_scheme", "width"), LOOKS)
def test_no_word_is_too_long_for_a_page(crowd, signed_in, ana, color_scheme, width):
    page = signed_in(ana, color_scheme=color_scheme, width=width)
    pages = [f"/leads/{lead.pk}/" for lead in crowd] + ["/leads/", "/traffic/", "/traffic/visits/"]
    pages += [f"/leads/{lead.pk}/{part}/" for lead in crowd for part in ("edit", "timeline")]
    found = []
    for place in [*pages, "/accounts/", "/leads/duplicates/"]:
        assert page.goto(place).status == 200, place
        expect(page.locator(".htmx-request")).to_have_count(0)
        if not is_within_screen(page):
            found.append(f"{place} is wider than the screen")
        rows = page.locator("main tbody tr")
        heights = [row.bounding_box()["height"] for row in rows.all() if row.is_visible()]
        if max(heights, default=0) > 320:
            found.append(f"{place} has a row of {max(heights)} px")
    assert found == []


def test_on_a_telephone_the_name_of_a_lead_has_the_width_to_itself(crowd, signed_in, mia):
    page = signed_in(mia, width=360)
    page.goto(f"/leads/{crowd[1].pk}/")
    heading, buttons = page.locator("h1").bounding_box(), page.locator(".page-header .btn-list")
    assert heading["width"] > 300
    assert buttons.bounding_box()["y"] >= heading["y"] + heading["height"]
    badge = page.locator("h1 .stage").bounding_box()
    assert badge["x"] + badge["width"] <= 360


def test_on_a_telephone_nothing_is_cut_off(crowd, signed_in, mia, tmp_path):
    fits = "(element) => element.scrollWidth <= element.clientWidth + 1"
    page = signed_in(mia, width=360, color_scheme="dark")
    page.goto("/traffic/")
    for part in page.locator(".funnel-about .btn, .funnel-filter select").all():
        if part.is_visible():
            assert part.evaluate(fits), part.inner_text()
    heights = {part.bounding_box()["height"] for part in page.locator(FIELDS).all()}
    assert max(heights) - min(heights) < 2
    source = Source.objects.first()
    store([], {(source.pk, reason): 7 for reason in REASONS})
    page.goto("/sources/books/")
    # Each row is a small list there; the reasons flow below it, not one to a line.
    reasons = page.locator("td.reasons:not(:empty)")
    heights = [cell.bounding_box()["height"] for cell in reasons.all()]
    assert 0 < max(heights) < 90
    page.goto("/sources/channels/new/")
    page.locator("select[name=channel]").select_option("organic_search")
    page.screenshot(path=tmp_path / "rule.png", full_page=True)
    styles = """(element) => [element.clientHeight,
      ...["lineHeight", "fontSize"].map((name) => parseFloat(getComputedStyle(element)[name]))]"""
    for select in page.locator("main select").all():
        height, line, size = select.evaluate(styles)
        assert height >= line + 8, select.get_attribute("name")
        assert line >= 1.7 * size, "what hangs below a line is cut off"
