"""Segment's own library for browsers, unchanged, on a website of another origin."""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta

import pytest

from tests.browser.tracked.conftest import FILES
from tracking.models import Event, IngestCount

LIBRARY = FILES / "@segment" / "analytics-next" / "dist" / "umd" / "index.js"
DELIVERED = "analytics.on('dispatch_delivered', () => { window.delivered += 1 })"


@pytest.fixture
def library() -> str:
    """The address of the library's script on the website."""
    if not LIBRARY.exists():
        assert not os.environ.get("CI"), "In CI a missing library is a failure."
        pytest.skip("`make test` fetches @segment/analytics-next.")
    return f"/{LIBRARY.relative_to(FILES)}"


@pytest.fixture
def open_with_library(visit, website, library, server, write_key):
    """Opens the website with the library loaded as `analytics`, with these load options."""

    def open_page(path: str, options: str = "{}"):
        website.show(
            "/prices",
            f"""<h1>Prices</h1><script>
            window.failures = [];
            window.analytics = AnalyticsNext.AnalyticsBrowser.load(
              {{writeKey: "{write_key}", cdnURL: "{server}"}}, {options});
            analytics.on("error", (error) => window.failures.push(String(error.reason || error)));
            </script>""",
            head=f'<script src="{library}"></script>',
        )
        page = visit(path)
        page.evaluate("analytics.ready()")
        return page

    return open_page


CALLS = """async () => {
  const sent = [
    await analytics.page(),
    await analytics.track("Order Completed", {number: 1, nothing: null}),
    await analytics.identify("u1", {email: "ada@acme.example", name: "Ada"}),
    await analytics.group("acme", {name: "Acme"}),
    await analytics.alias("u2", "u1"),
    await analytics.screen("App", "Home"),
  ];
  return sent.map((context) => context.event.messageId);
}"""


@pytest.mark.parametrize(
    "options",
    ["{}", "{integrations: {'Segment.io': {deliveryStrategy: {strategy: 'batching'}}}}"],
    ids=["one by one", "batches"],
)
def test_the_segment_library_for_browsers_works_unchanged(
    open_with_library, arrived, website, write_key, options
):
    page = open_with_library(
        "/prices?utm_source=news&utm_medium=email&utm_campaign=spring", options
    )
    message_ids = page.evaluate(CALLS)
    # A batch that is not full leaves with the page.
    page.goto(f"{website.url}/elsewhere", wait_until="commit")

    events = arrived(6)
    assert {event.message_id for event in events} == set(message_ids)
    assert Counter(event.kind for event in events) == {
        "pricing_page_viewed": 1, "order_completed": 1, "identified": 1, "account_joined": 1,
        "aliased": 1, "screen_viewed": 1,
    }  # fmt: skip
    viewed = next(event for event in events if event.kind == "pricing_page_viewed")
    assert (viewed.path, viewed.title, viewed.verdict) == ("/prices", "prices", 0)
    assert viewed.context["campaign"] == {"source": "news", "medium": "email", "name": "spring"}
    assert len(viewed.anonymous_id) >= 36
    assert abs(viewed.occurred_at - viewed.received_at) < timedelta(seconds=10)
    assert all(event.url.startswith(website.url) for event in events)
    counts = dict(IngestCount.objects.values_list("outcome", "count"))
    assert counts == {"received": 6, "accepted": 6}


def test_a_revoked_key_stops_it_without_endless_retries(
    open_with_library, visitor, server, write_key
):
    from tracking.models import WriteKey

    page = open_with_library("/prices")
    WriteKey.objects.all().delete()
    answers = []
    page.on("response", lambda response: answers.append((response.url, response.status)))
    # The server may know the key for five seconds more.
    page.wait_for_timeout(5_500)
    page.evaluate("analytics.track('Too late')")
    page.wait_for_timeout(1_500)
    assert [status for url, status in answers if url == f"{server}/v1/t"] == [401]
    assert not Event.objects.filter(kind="too_late").exists()
