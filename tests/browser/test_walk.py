"""One person's whole way, from an anonymous visit to the signature, by the right people."""

from __future__ import annotations

import json
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from leads.models import Lead
from tracking.keys import issue_key
from tracking.models import Source

VISITOR = "0f4b3c1a-visitor"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def send(server, transactional_db):
    """Posts one message as the website does."""
    source = Source.objects.create(name="Website", kind=Source.Kind.WEB)
    _key, text = issue_key(source, is_secret=False)

    def post(call: str, **message) -> None:
        message |= {"writeKey": text, "anonymousId": VISITOR}
        request = urllib.request.Request(
            f"{server}/v1/{call}",
            json.dumps(message).encode(),
            {"User-Agent": FIREFOX},
        )
        assert urllib.request.urlopen(request, timeout=10).status == 200

    return post


def stage() -> str:
    return Lead.objects.get().stage


def open_lead(page: Page) -> Page:
    page.goto(f"/leads/{Lead.objects.get().pk}/")
    return page


def refused(page: Page) -> bool:
    return page.goto(f"/leads/{Lead.objects.get().pk}/").status == 404


def test_from_anonymous_visitor_to_customer(
    send, drain_all, signed_in, signed_in_by_form, mia, sam, sue, viv
):
    three_visits_of_somebody_unknown(send, drain_all)
    a_form_makes_a_qualified_lead(send, drain_all)
    marketer = signed_in_by_form(mia)
    what_marketing_sees(open_lead(marketer))
    assert refused(signed_in(sam)), "not with sales yet"

    more_interest_crosses_the_threshold(send, drain_all)
    assert refused(signed_in(sue)), "another team"
    assert signed_in(viv).goto(f"/leads/{Lead.objects.get().pk}/").status == 403

    rep = signed_in_by_form(sam)
    accept_in_the_inbox(rep)
    work_as_sal(open_lead(rep))
    advance_to_sql(open_lead(rep))
    expect(open_lead(marketer).locator("button[value=won]")).to_have_count(0)
    win(open_lead(rep))
    expect(open_lead(rep).locator("main")).to_contain_text("Customer")


def three_visits_of_somebody_unknown(send, drain_all) -> None:
    for path in ("/", "/products", "/pricing"):
        send("page", properties={"path": path, "url": f"https://www.example.com{path}"})
    drain_all()
    assert not Lead.objects.exists()


def a_form_makes_a_qualified_lead(send, drain_all) -> None:
    said = {"email": "kim@acme-industries.com", "firstName": "Kim", "lastName": "Seo"}
    said |= {"title": "CEO", "company": "Acme", "consent": True, "form": "White paper"}
    send("track", event="Form Submitted", properties=said)
    drain_all()
    assert stage() == "qualified"


def what_marketing_sees(page: Page) -> None:
    expect(page.locator("main")).to_contain_text("/pricing")
    expect(page.get_by_role("heading", name="Kim Seo")).to_be_visible()


def more_interest_crosses_the_threshold(send, drain_all) -> None:
    """By itself: nobody overrides anything."""
    url = "https://www.example.com/pricing?again"
    send("page", properties={"path": "/pricing", "url": url})
    send("track", event="Demo Requested", properties={"form": "Demo"})
    drain_all()
    assert stage() == "mql"
    assert not Lead.objects.get().episodes.filter(is_override=True).exists()


def accept_in_the_inbox(page: Page) -> None:
    page.goto("/inbox/")
    page.keyboard.press("a")
    expect(page.get_by_text("Kim Seo: accepted.")).to_be_visible(timeout=20_000)
    assert stage() == "sal"


def work_as_sal(page: Page) -> None:
    """The four questions, and who decides."""
    panel = page.locator("#sales")
    expect(panel.get_by_role("button", name="Save answers")).to_be_visible()
    verdicts = panel.locator("select[name*=budget], select[name*=authority], select[name*=need]")
    for number in range(verdicts.count()):
        verdicts.nth(number).select_option("met")
    evidence = panel.locator("input[name*=evidence], textarea[name*=evidence]")
    for number in range(evidence.count()):
        evidence.nth(number).fill("Said so on the phone")
    with page.expect_navigation():
        panel.get_by_role("button", name="Save answers").click()
    buying = page.locator("section[aria-labelledby=buying-title]")
    buying.locator("select").select_option("decision_maker")
    with page.expect_navigation():
        buying.get_by_role("button", name="Add").click()


def advance_to_sql(page: Page) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name="Advance").click()
    assert stage() == "sql"


def win(page: Page) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#outcome-reason").fill("Best controller")
    with page.expect_navigation():
        page.locator("button[value=won]").click()
    assert stage() == "customer"
