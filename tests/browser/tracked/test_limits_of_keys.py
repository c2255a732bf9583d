"""What browsers do when a key is used too fast (429) or on the wrong website (403)."""

from __future__ import annotations

import time
from collections import defaultdict
from itertools import pairwise

import pytest

from leads.actors import Actor
from tests.browser.tracked.test_segment_library import library, open_with_library
from tests.browser.tracked.test_snippet import started
from tracking.keys import restrict_key
from tracking.models import Event, IngestCount, TurnedAway, WriteKey

__all__ = ["library", "open_with_library"]
KEPT = "Object.keys(localStorage).filter((name) => name.startsWith('_fnl_q')).length"
API = "**/v1/batch"
EARLY = 0.05  # seconds that two clocks may differ


@pytest.fixture
def restricted(write_key):
    """Says what the key is good for, before anybody has used it."""

    def restrict(**limits) -> None:
        restrict_key(WriteKey.objects.get().pk, by=Actor.system("Test"), **limits)

    return restrict


class Traffic:
    """What a page asked of the product and was answered, by the browser's own clock (seconds)."""

    def __init__(self, page, server: str) -> None:
        self._page = page
        self._answers: list = []
        page.on("response", lambda answer: self._note(answer, server))

    def _note(self, answer, server: str) -> None:
        if answer.request.method == "POST" and answer.url.startswith(f"{server}/v1/"):
            self._answers.append(answer)

    def settle(self, seconds: float = 0.5) -> None:
        """Hear of what went on until now: the browser's news arrive only while it is waited for."""
        self._page.wait_for_timeout(1000 * seconds)

    @property
    def asked(self) -> dict[str, list[float]]:
        """Message id → when it was sent, each time."""
        times: dict[str, list[float]] = defaultdict(list)
        for request in (answer.request for answer in self._answers):
            for message_id in ids_in(request.post_data_json):
                times[message_id].append(request.timing["startTime"] / 1000)
        return {message_id: sorted(sent) for message_id, sent in times.items()}

    @property
    def statuses(self) -> list[int]:
        return [answer.status for answer in self._answers]

    @property
    def refused(self) -> list[tuple[float, int]]:
        """(when, Retry-After) of each answer 429."""
        found = []
        for answer in self._answers:
            if answer.status == 429:
                timing = answer.request.timing
                at = (timing["startTime"] + timing["responseStart"]) / 1000
                found.append((at, int(answer.headers["retry-after"])))
        return found


def ids_in(body: dict) -> list[str]:
    return [message["messageId"] for message in body.get("batch", [body])]


def outcomes() -> dict[str, int]:
    rows = IngestCount.objects.values_list("outcome", "reason", "count")
    return {f"{outcome} {reason}".strip(): count for outcome, reason, count in rows}


def test_the_snippet_keeps_what_came_too_fast_and_tells_it_once(
    visit, website, snippet, restricted, arrived, server
):
    restricted(per_second=1, burst=1)
    website.show("/", "", snippet(""))
    page = started(visit("/"))
    traffic = Traffic(page, server)
    page.evaluate("funnel.consent(true)")
    arrived(1)
    for part in range(3):
        page.evaluate(f"funnel.track('Tour Watched', {{part: {part}}})")
        page.wait_for_timeout(80)
    events = arrived(3, "tour_watched", seconds=20)
    page.wait_for_function(f"{KEPT} === 0")
    assert [event.properties["part"] for event in events] == [0, 1, 2]
    assert outcomes() == {"received": 4, "accepted": 4}
    traffic.settle()
    assert traffic.refused
    for at, seconds in traffic.refused:
        for times in traffic.asked.values():
            assert not [t for t in times if at + EARLY < t < at + seconds - EARLY]


def test_the_snippet_waits_as_long_as_it_is_told_whatever_happens(
    visit, visitor, website, snippet, arrived
):
    asked = []

    def refuse(route):
        asked.append(time.monotonic())
        headers = {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Expose-Headers": "Retry-After",
            "Retry-After": "5",
        }
        route.fulfill(status=429, headers=headers)

    website.show("/", "", snippet())
    website.show("/next", "Nothing is tracked here.")
    visitor.route(API, refuse)
    page = started(visit("/"))
    page.wait_for_timeout(500)
    for happens in ("online", "visibilitychange"):
        page.evaluate(f"dispatchEvent(new Event('{happens}'))")
        page.evaluate("funnel.track('Tour Watched')")
        page.wait_for_timeout(1_500)
    assert len(asked) == 1
    page.wait_for_timeout(3_500)
    assert len(asked) == 2
    assert asked[1] - asked[0] >= 5 - EARLY
    page.goto(website.url + "/next")  # no last words while nobody wants to hear them
    visitor.unroute(API)
    assert Event.objects.count() == 0
    started(visit("/"))
    arrived(2, "tour_watched")
    assert IngestCount.objects.filter(outcome="duplicate").count() == 0


def test_the_segment_library_comes_back_when_it_may_and_tells_each_once(
    open_with_library, restricted, arrived, server
):
    restricted(per_second=1, burst=2)
    page = open_with_library("/prices")
    traffic = Traffic(page, server)
    ids = page.evaluate(
        """async () => {
          const sent = [];
          for (let part = 0; part < 5; part += 1) {
            sent.push(analytics.track("Tour Watched", {part}));
          }
          return (await Promise.all(sent)).map((context) => context.event.messageId);
        }"""
    )
    events = arrived(5, "tour_watched", seconds=40)
    assert {event.message_id for event in events} == set(ids)
    assert {event.properties["part"] for event in events} == set(range(5))
    assert outcomes() == {"received": 5, "accepted": 5}
    traffic.settle(3.5)  # turned-away requests are written down every three seconds
    assert traffic.refused and all(seconds >= 1 for _at, seconds in traffic.refused)
    for times in traffic.asked.values():
        assert all(later - sooner >= 1 - EARLY for sooner, later in pairwise(times))
    assert sum(len(times) for times in traffic.asked.values()) == 5 + len(traffic.refused)
    assert TurnedAway.objects.get(reason="rate_limited").count == len(traffic.refused)


def test_on_the_wrong_website_the_snippet_gives_up(visit, website, snippet, restricted, server):
    restricted(allowed_origins=["www.example.com"])
    website.show("/", "", snippet(""))
    page = started(visit("/"))
    traffic = Traffic(page, server)
    page.evaluate("funnel.consent(true)")
    page.wait_for_timeout(1_000)
    page.evaluate("funnel.track('Tour Watched')")
    page.wait_for_timeout(3_500)
    assert traffic.statuses == [403, 403]
    assert all(len(times) == 1 for times in traffic.asked.values())
    assert page.evaluate(KEPT) == 0
    assert not Event.objects.exists()
    assert outcomes() == {"received": 2, "rejected origin_not_allowed": 2}


def test_on_the_wrong_website_the_segment_library_gives_up(open_with_library, restricted, server):
    restricted(allowed_origins=["www.example.com"])
    page = open_with_library("/prices")
    traffic = Traffic(page, server)
    page.evaluate("analytics.track('Tour Watched')")
    page.wait_for_timeout(4_000)
    assert traffic.statuses == [403]
    assert not Event.objects.exists()
    assert outcomes() == {"received": 1, "rejected origin_not_allowed": 1}


@pytest.mark.parametrize("signal", ["Sec-GPC", "DNT"])
def test_a_browser_that_says_no_is_believed_whatever_its_page_loads(
    open_with_library, visitor, server, signal
):
    visitor.set_extra_http_headers({signal: "1"})
    page = open_with_library("/prices")
    traffic = Traffic(page, server)
    page.evaluate("analytics.page(); analytics.identify('u1', {email: 'ada@acme.example'})")
    page.wait_for_timeout(3_000)
    assert traffic.statuses == [403, 403]
    assert not Event.objects.exists()
    assert outcomes() == {"received": 2, "rejected opted_out": 2}
