"""The snippet t.js in a real browser, on a website of another origin: what it tells."""

from __future__ import annotations

import pytest

from leads.models import Lead
from tracking.models import Event, Source
from tracking.staff_marks import staff_mark

STARTED = "!!(window.funnel && funnel.track)"
PAGE_VIEWS = ("page_viewed", "pricing_page_viewed")


def started(page):
    page.wait_for_function(STARTED)
    return page


def test_every_page_view_is_told_also_those_that_scripts_make(visit, website, snippet, arrived):
    website.show("/", "", snippet())
    page = started(visit("/?utm_source=News&utm_campaign=spring&gclid=c1&token=secret#part"))
    page.evaluate("history.pushState({}, '', '/pricing?tab=2'); document.title = 'Our prices'")
    page.wait_for_timeout(200)
    page.evaluate("history.replaceState({}, '', '/pricing?tab=3')")  # the same page
    page.evaluate("history.back()")
    events = arrived(3)

    assert [event.kind for event in events] == ["page_viewed", "pricing_page_viewed", "page_viewed"]
    first, second, third = events
    landing = f"{website.url}/?utm_source=News&utm_campaign=spring&gclid=c1"
    assert (first.url, first.path, first.title, first.referrer) == (landing, "/", "Home", "")
    assert first.context["campaign"] == {"source": "News", "name": "spring"}
    assert (second.url, second.title) == (f"{website.url}/pricing", "Our prices")
    assert (second.referrer, third.referrer) == (landing, f"{website.url}/pricing")
    assert len({event.anonymous_id for event in events}) == 1
    assert len(first.anonymous_id) == 40  # 160 random bits
    assert {event.verdict for event in events} == {0}
    assert "secret" not in str(list(Event.objects.values()))


def test_a_router_in_the_fragment_tells_its_page_views_itself(visit, website, snippet, arrived):
    """As docs/snippet.md says it: addresses go without their fragment, so the path is said."""
    listener = """<script>addEventListener("hashchange", () =>
      funnel.page({ path: location.hash.slice(1).split("?")[0] || "/" }));</script>"""
    website.show("/", "", snippet() + listener)
    page = started(visit("/"))
    page.evaluate("location.hash = '#/pricing?token=secret'; document.title = 'Our prices'")
    page.wait_for_timeout(200)
    page.evaluate("history.back()")
    first, second, third = arrived(3)

    assert [event.path for event in (first, second, third)] == ["/", "/pricing", "/"]
    assert [first.kind, second.kind] == ["page_viewed", "pricing_page_viewed"]
    assert (second.url, second.title) == (f"{website.url}/", "Our prices")
    assert "secret" not in str(list(Event.objects.values()))


def test_a_page_view_left_before_it_is_sent_keeps_its_own_title(visit, website, snippet, arrived):
    website.show("/", "", snippet())
    page = started(visit("/"))
    page.evaluate(
        """history.pushState({}, "", "/one"); document.title = "One";
           history.pushState({}, "", "/two"); document.title = "Two";"""
    )
    assert {event.path: event.title for event in arrived(3)} == {
        "/": "Home",
        "/one": "One",
        "/two": "Two",
    }


def test_clicks_that_matter_are_told(visit, website, snippet, arrived):
    links = """
      <a id=inside href="/other">Inside</a>
      <a id=outside href="https://partner.example/x?token=secret&utm_source=us">Our partner</a>
      <a id=file href="/files/Price%20list.pdf?v=2">The list</a>
      <a id=mail href="mailto:sales@us.example">Write</a>
      <a id=script href="javascript:void 0">Nothing</a>
      <button id=tour data-track="Tour"><b>Take the</b> tour</button>
      <button id=demo data-track="Big button" data-track-event="Demo Video Played">Play</button>
      <script src="/stay.js"></script>"""
    website.show("/", links, snippet())
    website.show("/stay.js", "")
    page = started(visit("/"))
    page.evaluate("addEventListener('click', (event) => event.preventDefault())")
    for name in ("inside", "outside", "file", "mail", "script"):
        page.locator(f"#{name}").click()
    page.locator("#tour b").click()
    page.locator("#demo").click()
    arrived(6)

    told = Event.objects.exclude(kind="page_viewed").order_by("occurred_at", "id")
    assert [(event.kind, event.properties) for event in told] == [
        ("link_clicked", {"text": "Our partner",
                          "href": "https://partner.example/x?utm_source=us"}),
        ("file_downloaded", {"file_name": "Price list.pdf",
                             "url": f"{website.url}/files/Price%20list.pdf"}),
        ("link_clicked", {"text": "Write", "href": "mailto:sales@us.example"}),
        ("link_clicked", {"text": "Take the tour", "label": "Tour", "href": ""}),
        ("demo_video_played", {"text": "Play", "label": "Big button", "href": ""}),
    ]  # fmt: skip


FORM = """<form name="Guide" id="guide" action="/thanks">
  <input name="your-email" value=" Ada@acme.example ">
  <input name="firstName" value="Ada"><input autocomplete="family-name" name="f7" value="Lovelace">
  <input name="company" value="Acme"><input name="job_title" value="CTO">
  <input type="checkbox" name="marketing_consent" checked>
  <input name="budget" data-track-field="budget" value="10k">
  <input name="diagnosis" value="private-1">
  <input type="hidden" name="phone" value="private-2">
  <input name="name" autocomplete="cc-name" value="private-3">
  <input name="card_number" autocomplete="cc-number" value="4111111111111111">
  <textarea name="message">private-4</textarea>
  <button>Send</button></form>"""


def test_a_form_tells_only_the_fields_that_are_named(visit, website, snippet, arrived, drain_all):
    website.show("/", FORM, snippet())
    website.show("/thanks", "", snippet())
    page = started(visit("/?utm_source=news"))
    page.locator("button").click()
    page.wait_for_url("**/thanks**")
    (sent,) = arrived(1, "form_submitted")

    assert sent.properties == {
        "email": "Ada@acme.example", "first_name": "Ada", "last_name": "Lovelace",
        "company": "Acme", "job_title": "CTO", "consent": True, "budget": "10k",
        "form_name": "Guide", "form_id": "guide",
    }  # fmt: skip
    assert "private" not in str(list(Event.objects.values()))
    assert "4111" not in str(list(Event.objects.values()))
    arrived(2, "page_viewed")
    drain_all()
    lead = Lead.objects.get()
    assert (lead.email, lead.name, lead.source) == ("ada@acme.example", "Ada Lovelace", "news")
    assert Event.objects.filter(lead=lead, kind="page_viewed").count() == 2


@pytest.mark.parametrize(
    "form",
    [
        "<form><input name=email value=a@b.example><input type=password value=pw><button>",
        "<form><input type=search name=q value=a@b.example><button>",
        "<form data-track-ignore><input name=email value=a@b.example><button>",
    ],
    ids=["sign-in", "search", "ignored"],
)
def test_other_forms_are_nobody_s_business(visit, website, snippet, arrived, form):
    website.show("/", form.replace("<form", '<form action="/next"'), snippet())
    website.show("/next", "", snippet())
    page = started(visit("/"))
    page.locator("button").click()
    page.wait_for_url("**/next**")
    arrived(2, "page_viewed")
    assert not Event.objects.exclude(kind__in=("page_viewed", "page_engaged")).exists()


def test_what_is_called_before_the_script_is_there_is_not_lost(visit, website, snippet, arrived):
    stub = """window.funnel = function () { (funnel.q = funnel.q || []).push(arguments) };
      funnel("consent", true); funnel("track", "Tour Watched", {a: 1});"""
    website.show("/", f"<script>{stub}</script>", snippet(""))
    page = started(visit("/"))
    page.evaluate("funnel('identify', {email: 'ada@acme.example'})")
    events = arrived(3)
    assert [event.kind for event in events] == ["page_viewed", "tour_watched", "identified"]
    assert {event.anonymous_id for event in events} == {page.evaluate("funnel.id()")}


def test_a_strict_policy_of_the_website_is_enough(visit, website, snippet, server, arrived):
    policy = f"default-src 'none'; script-src {server}; connect-src {server}"
    website.headers["Content-Security-Policy"] = policy
    website.show("/", "", snippet())
    complaints = []
    page = visit("/")
    page.on("console", lambda message: complaints.append(message.text))
    started(page).evaluate("funnel.track('Call')")
    arrived(2)
    assert complaints == []


def test_staff_and_remote_controlled_browsers_say_so(browser, visit, website, snippet, arrived):
    website.show("/", "", snippet())
    mark = staff_mark(Source.objects.get().pk)
    page = started(visit(f"/#funnel-staff={mark}"))
    assert mark not in page.url
    page.goto(website.url + "/?b")
    staff = arrived(2, "page_viewed")
    assert [event.context.get("staff") for event in staff] == [True, True]
    started(page).goto(website.url + "/?c#funnel-staff=off")
    *_, last = arrived(3, "page_viewed")
    assert "staff" not in last.context

    context = browser.new_context()
    driven = context.new_page()
    driven.goto(website.url)
    *_, last = arrived(4, "page_viewed")
    assert last.context["webdriver"] is True
    context.close()
