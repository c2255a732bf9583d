"""One person's whole way, from an anonymous visit to the signature, by the right people."""

from __future__ import annotations

import json
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from leads.models import Account, Lead
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


def test_from_anonymous_visitor_to_customer(send, drain_all, signed_in, mia, sam, sue, ana, viv):
    # Three visits of somebody unknown: no lead yet.
    for path in ("/", "/products", "/pricing"):
        send("page", properties={"path": path, "url": f"https://www.example.com{path}"})
    drain_all()
    assert not Lead.objects.exists()

    # A form with consent: a Qualified lead, the earlier visits attached.
    said = {"email": "kim@acme-industries.com", "firstName": "Kim", "lastName": "Seo"}
    said |= {"title": "CEO", "company": "Acme", "consent": True, "form": "White paper"}
    send("track", event="Form Submitted", properties=said)
    drain_all()
    assert stage() == "qualified"
    Account.objects.update(industry="Automotive", country="DE", employee_count=900)

    marketer = open_lead(signed_in(mia))
    expect(marketer.locator("main")).to_contain_text("/pricing")
    expect(marketer.get_by_role("heading", name="Kim Seo")).to_be_visible()
    assert refused(signed_in(sam)), "not with sales yet"

    # More interest: the threshold is crossed, sales gets a hand-off.
    for number in range(3):
        send("track", event="Demo Requested", properties={"form": f"Demo {number}"})
        send(
            "page",
            properties={"path": "/pricing", "url": f"https://www.example.com/pricing?{number}"},
        )
    drain_all()
    if stage() == "qualified":  # this model asks for more: marketing pushes, with a reason
        open_lead(marketer)
        marketer.get_by_text("Advance anyway to MQL").click()
        marketer.locator("#reason-advance, [id^=reason-]").first.fill(
            "Asked for a demo three times"
        )
        marketer.locator("details[open] button").click()
        marketer.wait_for_load_state("networkidle")
    assert stage() == "mql"
    assert refused(signed_in(sue)), "another team"
    assert signed_in(viv).goto(f"/leads/{Lead.objects.get().pk}/").status == 403

    # Sam accepts, asks the four questions, notes who decides, moves on.
    rep = signed_in(sam)
    rep.goto("/inbox/")
    rep.keyboard.press("a")
    expect(rep.get_by_text("Kim Seo: accepted.")).to_be_visible(timeout=20_000)
    assert stage() == "sal"
    work_as_sal(open_lead(rep))
    open_lead(rep).get_by_role("button", name="Advance").click()
    rep.wait_for_load_state("networkidle")
    assert stage() == "sql"

    # Marketing may look, but not sign: only sales wins the deal.
    open_lead(marketer)
    expect(marketer.locator("button[value=won]")).to_have_count(0)
    rep.on("dialog", lambda dialog: dialog.accept())
    open_lead(rep).locator("#outcome-reason").fill("Best controller")
    rep.locator("button[value=won]").click()
    rep.wait_for_load_state("networkidle")
    assert stage() == "customer"
    expect(open_lead(rep).locator("main")).to_contain_text("Customer")


def work_as_sal(page: Page) -> None:
    panel = page.locator("#sales")
    expect(panel.get_by_role("button", name="Save answers")).to_be_visible()
    verdicts = panel.locator("select[name*=budget], select[name*=authority], select[name*=need]")
    for number in range(verdicts.count()):
        verdicts.nth(number).select_option("met")
    evidence = panel.locator("input[name*=evidence], textarea[name*=evidence]")
    for number in range(evidence.count()):
        evidence.nth(number).fill("Said so on the phone")
    panel.get_by_role("button", name="Save answers").click()
    page.wait_for_load_state("networkidle")
    page.locator("section[aria-labelledby=buying-title] select").select_option("decision_maker")
    page.locator("section[aria-labelledby=buying-title]").get_by_role("button", name="Add").click()
    page.wait_for_load_state("networkidle")
