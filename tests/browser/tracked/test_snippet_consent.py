"""The snippet before and after people decide: without a yes nothing is kept and nothing is sent."""

from __future__ import annotations

import time

import pytest

from tests.browser.tracked.test_snippet import FORM, started
from tracking.models import Event, Source
from tracking.staff_marks import staff_mark

KEPT = "[document.cookie, Object.keys(localStorage).join(), Object.keys(sessionStorage).join()]"
NOTHING = ["", "", ""]
MONTH = 365.25 / 12 * 86_400


@pytest.fixture
def asked_for(visitor, server) -> list[str]:
    """What the browser asks of the product, but the script itself."""
    requests = []

    def note(request) -> None:
        if request.url.startswith(server) and not request.url.endswith("/t.js"):
            requests.append(request.url)

    visitor.on("request", note)
    return requests


def do_everything(page) -> None:
    """A visit with views, clicks, a form and a good-bye."""
    started(page)
    page.evaluate("funnel.track('Call'); funnel.identify({email: 'a@b.example'})")
    page.evaluate("history.pushState({}, '', '/more')")
    page.locator("a").click()
    page.locator("form button").click()
    page.wait_for_url("**/thanks**")
    page.wait_for_timeout(300)


def prepare(website, tag: str) -> None:
    links = "<a href='https://partner.example/' target=_blank>Out</a>"
    script = (
        "<script>addEventListener('click', (e) => e.target.href && e.preventDefault())</script>"
    )
    website.show("/", links + FORM + script, tag)
    website.show("/thanks", "", tag)


def test_without_an_answer_nothing_is_kept_and_nothing_is_sent(
    visit, visitor, website, snippet, asked_for
):
    prepare(website, snippet(""))
    page = visit("/?utm_source=news")
    do_everything(page)
    assert page.evaluate(KEPT) == NOTHING
    assert visitor.cookies() == []
    assert (asked_for, Event.objects.count()) == ([], 0)


def test_a_no_takes_back_what_an_earlier_yes_left(visit, visitor, website, snippet, arrived):
    website.show("/", "", snippet(""))
    page = started(visit("/"))
    page.evaluate("funnel.consent(true)")
    arrived(1)
    assert [cookie["name"] for cookie in visitor.cookies()] == ["_fnl_id"]
    visitor.set_offline(True)
    page.evaluate("funnel.track('Tour Watched')")
    page.evaluate("funnel.consent(false)")
    assert page.evaluate(KEPT) == NOTHING
    visitor.set_offline(False)
    page.evaluate("funnel.track('Tour Watched')")
    page.wait_for_timeout(500)
    page.goto("about:blank")
    assert visitor.cookies() == []
    assert not Event.objects.exclude(kind="page_viewed").exists()

    page.goto(website.url)
    started(page).evaluate("funnel.consent(false)")
    page.evaluate("funnel.consent(true)")  # changed their mind
    first, second = arrived(2)
    assert first.anonymous_id != second.anonymous_id


def test_a_no_in_one_tab_holds_in_all_of_them_at_once(visit, visitor, website, snippet, arrived):
    website.show("/", "", snippet(""))
    first, second = started(visit("/")), started(visit("/"))
    first.evaluate("funnel.consent(true)")
    second.evaluate("funnel.consent(true)")
    arrived(2)
    visitor.set_offline(True)
    second.evaluate("funnel.track('Tour Watched')")  # waits on the device
    assert "_fnl_q." in second.evaluate(KEPT)[1]

    first.evaluate("funnel.consent(false)")
    second.wait_for_function("!funnel.id()")  # nobody asked that tab for anything
    visitor.set_offline(False)
    second.evaluate("funnel.track('Film Watched'); history.pushState({}, '', '/more')")
    second.wait_for_timeout(500)
    for page in (first, second):
        assert page.evaluate(KEPT) == NOTHING
        page.goto("about:blank")
    assert visitor.cookies() == []
    assert set(Event.objects.values_list("kind", flat=True)) <= {"page_viewed", "page_engaged"}
    assert Event.objects.filter(path="/more").count() == 0


def test_a_no_on_another_sub_domain_holds_before_anything_is_sent(
    visit, visitor, website, snippet, arrived
):
    website.show("/", "", snippet(""))
    page = started(visit("/"))
    page.evaluate("funnel.consent(true)")
    arrived(1)
    visitor.clear_cookies()  # what the script does there with the cookie of the domain
    page.evaluate("funnel.track('Tour Watched'); history.pushState({}, '', '/more')")
    page.wait_for_timeout(500)
    assert page.evaluate(KEPT) == NOTHING
    page.evaluate("funnel.consent(true)")
    first, second = arrived(2)
    assert second.path == "/more"
    assert first.anonymous_id != second.anonymous_id


def test_a_page_that_slept_while_consent_was_taken_back_does_not_wake_up_as_before(
    visit, visitor, website, snippet, arrived
):
    website.show("/", "", snippet(""))
    website.show("/other", "", snippet(""))
    page = started(visit("/"))
    page.evaluate("funnel.consent(true); window.isTheSame = true")
    arrived(1)
    page.goto(f"{website.url}/other")
    started(page).evaluate("funnel.consent(false)")
    page.go_back(wait_until="commit")
    assert page.evaluate("window.isTheSame")  # kept asleep, not loaded again
    page.wait_for_timeout(500)
    assert page.evaluate(KEPT) == NOTHING
    assert page.evaluate("funnel.id()") in (False, None)
    assert visitor.cookies() == []
    assert Event.objects.filter(path="/", kind="page_viewed").count() == 1


def test_a_yes_sends_the_pages_seen_since_this_one_was_loaded(visit, website, snippet, arrived):
    website.show("/", "", snippet(""))
    page = started(visit("/?gclid=c1"))
    page.evaluate("funnel.track('Too early')")
    page.evaluate("history.pushState({}, '', '/more')")
    page.evaluate("document.dispatchEvent(new CustomEvent('funnel:consent', {detail: true}))")
    first, second = arrived(2)
    assert first.url == f"{website.url}/?gclid=c1"
    assert second.path == "/more"
    assert first.anonymous_id == second.anonymous_id != ""


def test_the_answer_holds_on_later_pages_for_less_than_13_months(
    visit, visitor, website, snippet, arrived
):
    website.show("/", "", snippet(""))
    page = started(visit("/"))
    page.evaluate("funnel.consent(true)")
    arrived(1)
    (cookie,) = visitor.cookies()
    assert len(cookie["value"]) == 40
    assert 12 * MONTH < cookie["expires"] - time.time() < 13 * MONTH
    assert (cookie["sameSite"], cookie["path"], cookie["domain"]) == ("Lax", "/", "localhost")

    page.wait_for_timeout(1_100)
    page.goto(website.url)
    first, second = arrived(2)
    assert first.anonymous_id == second.anonymous_id == cookie["value"]
    assert visitor.cookies()[0]["expires"] == cookie["expires"]  # not prolonged


@pytest.mark.parametrize(
    "signal",
    ["globalPrivacyControl', {get: () => true})", "doNotTrack', {get: () => '1'})"],
    ids=["GPC", "DNT"],
)
def test_a_browser_that_says_no_for_its_person_is_believed(
    visit, visitor, website, snippet, asked_for, signal
):
    visitor.add_init_script(f"Object.defineProperty(Navigator.prototype, '{signal}")
    prepare(website, snippet())
    page = visit("/")
    started(page).evaluate("funnel.consent(true)")
    do_everything(page)
    assert page.evaluate(KEPT) == NOTHING
    assert visitor.cookies() == []
    assert (asked_for, Event.objects.count()) == ([], 0)


BANNER = """<script>
  window.__tcfapi = (command, version, told) => {
    window.decide = (consents, eventStatus = "useractioncomplete") =>
      told({eventStatus, gdprApplies: true, purpose: {consents}}, true);
    decide({}, "cmpuishown");
  };
</script>"""


def test_a_banner_of_the_iab_s_framework_is_asked(visit, visitor, website, snippet, arrived):
    website.show("/", "", BANNER + snippet('data-consent="tcf"'))
    page = started(visit("/"))
    page.wait_for_function("!!window.decide")
    page.evaluate("decide({1: true})")
    page.wait_for_timeout(300)
    assert visitor.cookies() == []
    page.evaluate("decide({1: true, 8: true})")
    arrived(1)
    page.evaluate("decide({8: true})")
    assert page.evaluate(KEPT) == NOTHING


def test_the_mark_of_a_colleague_waits_for_consent_and_goes_with_it(
    visit, website, snippet, arrived
):
    website.show("/", "", snippet(""))
    mark = staff_mark(Source.objects.get().pk)
    page = started(visit(f"/#funnel-staff={mark}"))
    assert page.evaluate(KEPT) == NOTHING
    page.evaluate("funnel.consent(true)")
    assert arrived(1)[0].context["staff"] is True
    assert page.evaluate("localStorage._fnl_staff") == mark
    page.evaluate("funnel.consent(false)")
    assert page.evaluate(KEPT) == NOTHING


def test_a_link_of_anybody_marks_nobody(visit, website, snippet, arrived):
    website.show("/", "", snippet())
    for address in ("/#funnel-staff", "/?b#funnel-staff=1"):
        started(visit(address))
    assert [event.context.get("staff") for event in arrived(2, "page_viewed")] == [None, None]
