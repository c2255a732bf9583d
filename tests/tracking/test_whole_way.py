"""From the Segment library to timeline and score, through a running web process."""

from __future__ import annotations

import time

import pytest
from segment.analytics.client import Client

from funnel_app.relay import DRAINS
from leads.models import Lead
from leads.stages import Stage
from leads.timeline import read
from tracking.models import Event

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]


def drain_until_scored() -> Lead:
    """What the relay does, until the one lead has a score; it waits a moment for the worker."""
    deadline = time.monotonic() + 15
    while True:
        for drain in DRAINS:
            drain.take(drain.limit)
        lead = Lead.objects.select_related("standing").get()
        if lead.standing.score or time.monotonic() > deadline:
            return lead
        time.sleep(0.2)


def test_a_batch_keeps_its_order_within_one_instant(web):
    at = "2026-03-01T10:00:00.021Z"
    pages = [
        {"type": "page", "anonymousId": "v1", "messageId": f"{9 - n}", "timestamp": at,
         "properties": {"url": f"https://us.example/{n}"}}
        for n in range(3)
    ]  # fmt: skip
    assert web.post("/v1/batch", {"batch": pages}).status_code == 200
    paths = Event.objects.order_by("occurred_at").values_list("path", flat=True)
    assert list(paths) == ["/0", "/1", "/2"]


def test_what_the_segment_library_sends_stands_on_the_timeline_and_counts_for_the_score(web):
    client = Client(web.public_key, host=web.url, upload_interval=0.05)
    client.page(None, None, "Home", {"url": "https://us.example/?gclid=1"}, anonymous_id="v1")
    client.page(None, None, "Prices", {"url": "https://us.example/pricing"}, anonymous_id="v1")
    ada = {"email": "ada@acme.example", "name": "Ada Lovelace", "consent": True}
    client.identify("u1", ada, anonymous_id="v1")
    client.track("u1", "Email Opened", {"email_subject": "Spring news"})
    client.shutdown()

    lead = drain_until_scored()
    assert (lead.name, lead.stage, lead.channel) == ("Ada Lovelace", Stage.QUALIFIED, "paid_search")
    assert [entry.title for entry in read(lead, only="events")] == [
        "Opened e-mail “Spring news”",
        "Identified",
        "Viewed pricing page /pricing",
        "Viewed page /",
    ]
    assert lead.standing.score > 0
    assert lead.standing.interest > 0
