"""Copy the line from the page, put it on a website, and see that the event arrives."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.tracked.test_snippet import started
from tracking.models import Source


def test_the_copied_line_works_and_the_page_says_so(
    signed_in, mia, visit, website, write_key, run_axe
):
    page = signed_in(mia)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    source = Source.objects.get()
    page.goto(f"/sources/install/?source={source.pk}")
    expect(page.get_by_text("Nothing was received yet")).to_be_visible()
    page.locator("[data-copy=line]").click()
    expect(page.locator("[data-copy=line]")).to_contain_text("Copied")
    line = page.evaluate("navigator.clipboard.readText()")
    assert write_key in line

    website.show("/guide", "", line)
    visitors_page = started(visit("/guide?utm_source=news"))
    visitors_page.evaluate("funnel.consent(true)")
    expect(page.get_by_text("It works: an event came")).to_be_visible()
    expect(page.locator("#received")).to_contain_text("/guide?utm_source=news")
    assert run_axe(page) == []
