"""The quadrant page in a real browser: thousands of leads, cuts moved by pointer and by keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection, transaction
from playwright.sync_api import Page, expect

ROOT = Path(__file__).resolve().parent.parent.parent
LEADS = 5_000


@pytest.fixture
def crowd(transactional_db, sam, mona) -> None:
    sql = (ROOT / "bench" / "many_leads.sql").read_text()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, {"leads": LEADS})
        cursor.execute("ANALYZE")


def opened(page: Page, query: str = "") -> Page:
    page.goto(f"/scoring/quadrants/{query}")
    expect(page.locator("#plane")).to_have_attribute("data-count", str(LEADS))
    return page


def figure(page: Page, name: str):
    return page.locator(f"[data-figure={name}]")


def test_cuts_move_by_pointer_and_by_keys_and_are_saved_nowhere(signed_in, mia, crowd):
    page = opened(signed_in(mia))
    before = figure(page, "promising").inner_text()
    expect(figure(page, "entering")).to_have_text("0")
    line = page.locator("[data-cut=interest_cut] .knob").bounding_box()
    page.mouse.move(line["x"] + 7, line["y"] + 7)
    page.mouse.down()
    page.mouse.move(line["x"] + 7, line["y"] + 60, steps=5)
    page.mouse.up()
    expect(page.locator("[name=interest_cut]")).not_to_have_value("")
    page.wait_for_url(lambda url: "interest_cut=" in url)
    expect(page.get_by_role("heading", name="With these cuts")).to_be_visible()
    cut = page.locator("[data-cut=threshold]")
    cut.focus()
    for _press in range(3):
        page.keyboard.press("PageDown")
    expect(cut).to_be_focused()
    expect(figure(page, "entering")).not_to_have_text("0")
    figure(page, "entering").get_by_role("link").click()
    expect(page.get_by_role("heading", name="Leads that would become promising")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="The model's cuts").click()
    expect(figure(page, "promising")).to_have_text(before)
    expect(page.locator("[name=interest_cut]")).to_have_value("")


def test_closer_leads_become_dots_that_open_their_page(signed_in, mia, crowd):
    page = opened(signed_in(mia))
    expect(page.locator("#plane .bins path")).to_have_count(8)
    for _click in range(3):
        count = page.locator("#plane").get_attribute("data-count")
        page.get_by_role("button", name="Closer").click()
        expect(page.locator("#plane")).not_to_have_attribute("data-count", count)
    dot = page.locator("#plane a").first
    name = dot.get_attribute("aria-label").split(":")[0]
    dot.focus()
    expect(page.locator("#plane-reading")).to_contain_text(name)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(name)


def test_a_filter_changes_picture_figures_and_address(signed_in, mia, crowd):
    page = opened(signed_in(mia))
    page.locator("select[name=stage]").select_option("mql")
    expect(page.locator("#plane")).not_to_have_attribute("data-count", str(LEADS))
    count = page.locator("#plane").get_attribute("data-count")
    expect(figure(page, "all")).to_contain_text(count)
    page.wait_for_url(lambda url: "stage=mql" in url)


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_wide_and_narrow_light_and_dark(signed_in, mia, crowd, run_axe, width, scheme):
    page = opened(signed_in(mia, width=width, color_scheme=scheme), "?fit_cut=10&threshold=50")
    assert run_axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_table_that_is_wider_than_its_place_says_that_it_scrolls(signed_in, mia, crowd):
    page = opened(signed_in(mia, width=360))
    page.locator("details.chart-data > summary").click()
    table = page.locator(".table-responsive:has(.band-table)")
    assert table.evaluate("it => it.scrollWidth > it.clientWidth")
    look = table.evaluate("it => getComputedStyle(it).backgroundAttachment")
    assert look == "local, local, scroll, scroll"  # shadows at the edges, covered at the ends
    cell = table.locator("td").nth(1)
    assert cell.evaluate("it => getComputedStyle(it).backgroundColor") == "rgba(0, 0, 0, 0)"
