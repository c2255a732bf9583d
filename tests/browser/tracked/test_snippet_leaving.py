"""The snippet when people leave, come back, lose their connection: nothing lost, nothing twice."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from tests.browser.tracked.test_snippet import started
from tracking.models import Event, IngestCount

API = "**/v1/batch"


def kinds() -> list[str]:
    told = Event.objects.exclude(kind="page_engaged").order_by("occurred_at", "id")
    return list(told.values_list("kind", flat=True))


def test_the_time_on_the_last_page_is_told_too(visit, website, snippet, arrived, drain_all):
    website.show("/", "<div style='height: 9000px'>Long</div>", snippet())
    page = started(visit("/"))
    for _ in range(4):
        page.mouse.wheel(0, 200)
        page.wait_for_timeout(300)
    page.close(run_before_unload=True)
    arrived(1, "page_engaged")
    drain_all()
    view = Event.objects.get(kind="page_viewed")
    assert 1_000 < view.engaged_ms < 15_000


def test_time_that_nobody_sees_the_page_does_not_count(visit, website, snippet, arrived):
    website.show("/", "", snippet())
    page = started(visit("/"))
    hide = "Object.defineProperty(document, 'visibilityState', {value: '%s', configurable: true});"
    told = "document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))"
    page.wait_for_timeout(300)
    page.evaluate(hide % "hidden" + told)
    (first,) = arrived(1, "page_engaged")
    page.wait_for_timeout(1_500)
    page.evaluate(hide % "visible" + told)
    page.wait_for_timeout(300)
    page.evaluate(hide % "hidden" + told)
    _first, second = arrived(2, "page_engaged")
    spent = second.properties["engaged_ms"] - first.properties["engaged_ms"]
    assert 250 < spent < 1_200
    assert second.properties["page_view_id"] == Event.objects.get(kind="page_viewed").message_id


LAST_WORDS = """<script>
  const send = navigator.sendBeacon;
  navigator.sendBeacon = (...given) => {
    sessionStorage.beacons = (sessionStorage.beacons || "") + given[1];
    return send.apply(navigator, given);
  };
  addEventListener("pagehide", () => funnel.track("Tour Left"), true);
</script>"""


def test_what_happens_in_the_last_moment_leaves_by_beacon(visit, website, snippet, arrived):
    website.show("/", LAST_WORDS, snippet())
    website.show("/next", "Nothing is tracked here.")
    page = started(visit("/"))
    arrived(1)
    page.goto(website.url + "/next")
    (left,) = arrived(1, "tour_left")
    beacons = page.evaluate("sessionStorage.beacons")
    assert left.message_id in beacons
    assert "Page Engaged" in beacons
    # Nobody confirmed it, so the next page says it again, and it counts once.
    assert left.message_id in page.evaluate("Object.values(localStorage).join()")
    page.goto(website.url + "/")
    arrived(2, "page_viewed")
    page.wait_for_function("Object.keys(localStorage).length === 0")
    assert Event.objects.filter(kind="tour_left").count() == 1


def test_a_click_on_a_link_is_not_lost_with_the_page(visit, website, snippet, arrived):
    website.show("/", "<a href='/next' data-track='Next'>Next</a>", snippet())
    website.show("/next", "Nothing is tracked here.")
    page = started(visit("/"))
    page.locator("a").click()
    page.wait_for_url("**/next")
    (click,) = arrived(1, "link_clicked")
    assert click.properties["label"] == "Next"


def test_what_happens_offline_is_told_later_with_the_same_id_once(
    visit, visitor, website, snippet, arrived
):
    website.show("/", "", snippet())
    page = started(visit("/"))
    arrived(1)
    visitor.set_offline(True)
    page.evaluate("funnel.track('Tour Watched', {part: 1})")
    page.evaluate("funnel.track('Tour Watched', {part: 2})")
    page.wait_for_timeout(500)
    assert kinds() == ["page_viewed"]
    visitor.set_offline(False)
    events = arrived(2, "tour_watched")
    assert [event.properties["part"] for event in events] == [1, 2]
    page.wait_for_function("Object.keys(localStorage).length === 0")
    page.wait_for_timeout(500)
    assert IngestCount.objects.filter(outcome="duplicate").count() == 0


@pytest.mark.parametrize("trouble", ["away", 503, 429])
def test_what_could_not_be_delivered_is_told_by_a_later_page(
    visit, visitor, website, snippet, arrived, trouble
):
    asked = []

    def refuse(route):
        asked.append(route.request.post_data_json)
        if trouble == "away":
            route.abort()
        else:
            route.fulfill(status=trouble, headers={"Access-Control-Allow-Origin": "*"})

    website.show("/", "", snippet())
    visitor.route(API, refuse)
    page = started(visit("/"))
    page.evaluate("navigator.sendBeacon = () => true")  # lost on the way
    page.evaluate("funnel.track('Tour Watched')")
    page.wait_for_timeout(500)
    kept = page.evaluate("Object.values(localStorage).flatMap(JSON.parse).map((m) => m.messageId)")
    assert len(kept) == 2
    page.goto("about:blank")
    assert not Event.objects.exists()
    # A request that outlives its page is no longer refused from here on: it counts once, too.
    visitor.unroute(API)

    again = started(visit("/"))
    events = arrived(3)
    assert {event.message_id for event in events} >= set(kept)
    assert kept[0] in str(asked[0])
    assert len({event.anonymous_id for event in events}) == 1
    again.wait_for_function("Object.keys(localStorage).length === 0")


def test_it_tries_again_ever_more_rarely(visit, visitor, website, snippet, arrived):
    times = []
    website.show("/", "", snippet())
    visitor.route(API, lambda route: (times.append(time.monotonic()), route.abort()))
    page = started(visit("/"))
    page.wait_for_timeout(9_000)
    gaps = [later - sooner for sooner, later in pairwise(times)]
    assert 1 <= len(gaps) <= 4
    assert gaps[0] > 0.9
    visitor.unroute(API)
    page.evaluate("dispatchEvent(new Event('online'))")
    arrived(1)


def test_a_refused_message_is_not_sent_again(visit, visitor, website, snippet):
    website.show("/", "", snippet())
    asked = []

    def refuse(route):
        asked.append(route.request.post_data_json)
        route.fulfill(status=401, headers={"Access-Control-Allow-Origin": "*"})

    visitor.route(API, refuse)
    page = started(visit("/"))
    page.wait_for_function("Object.keys(localStorage).length === 0")
    page.wait_for_timeout(2_500)
    assert len(asked) == 1


def test_going_back_to_a_page_that_was_only_asleep_is_a_view(visit, website, snippet, arrived):
    website.show("/", "<p>First</p>", snippet())
    website.show("/second", "<p>Second</p>", snippet())
    page = visit("/")
    started(page).evaluate("window.mark = 'awake'")
    arrived(1)
    page.goto(website.url + "/second")
    arrived(2)
    page.evaluate("history.back()")
    *_, third = arrived(3)
    page.wait_for_timeout(300)
    assert page.evaluate("window.mark") == "awake"  # it was restored, not loaded again
    assert third.path == "/"
    assert len(set(Event.objects.values_list("anonymous_id", flat=True))) == 1
