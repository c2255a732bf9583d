"""Two thousand requests of bots through the running collector change no human figure."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.db import connection

from bench import bots
from insights import folding
from leads import verifying
from scoring import rescore
from scoring.verifying import verify
from tests.tracking.running import Web
from tracking import attaching, visiting
from tracking.models import Event, Verdict
from tracking.verdicts import reports, running
from tracking.verifying import CHECKS

HUMANS = 6


def figures() -> dict[str, str]:
    found = {}
    with connection.cursor() as cursor:
        for name, sql in bots.FIGURES.items():
            cursor.execute(sql)
            found[name] = str(cursor.fetchone()[0])
    return found


def settle() -> None:
    for drain in (attaching.drain, running.drain, visiting.drain, rescore.drain, folding.drain):
        while drain():
            pass


def humans_come(web: Web) -> None:
    """A few visitors, one of whom becomes a lead and reads a mail."""
    browser = {"headers": {"User-Agent": bots.FIREFOX}}
    for number in range(HUMANS):
        for page in ("/", "/pricing"):
            said = {"anonymousId": f"human-{number}", "properties": {"path": page}}
            assert web.post("/v1/page", said, **browser).ok
    form = {"anonymousId": "human-0", "event": "Form Submitted"}
    form["properties"] = {"email": bots.VICTIM, "consent": True}
    assert web.post("/v1/track", form, **browser).ok
    click = {"event": "Email Link Clicked"}
    click["properties"] = {
        "email": bots.VICTIM,
        "email_id": "spring",
        "link_url": "https://us.example",
    }
    assert web.post("/v1/track", click, web.secret_key).ok


@pytest.mark.django_db(transaction=True)
def test_a_bot_storm_changes_no_human_figure(web):
    humans_come(web)
    settle()
    before, counted = figures(), reports.overview().total.counted
    assert (before["visitors"], before["leads"]) == (str(HUMANS), "1")
    place = urlsplit(web.url)
    count = 10 * bots.UNIT
    requests = bots.storm(count, web.public_key, web.secret_key)
    assert bots.send(place.hostname, place.port, requests) == []
    settle()
    assert figures() == before
    day = reports.overview().total
    assert (day.counted, day.machine) == (counted, count)
    assert day.raw == counted + count
    stored = Event.objects.filter(verdict=Verdict.MACHINE)
    assert stored.count() == count
    found = {signal for signals in stored.values_list("verdict_signals", flat=True)
             for signal in signals}  # fmt: skip
    assert found == {"crawler", "head_request", "headless", "webdriver", "too_quick", "all_links"}
    assert [outcome for check in CHECKS if (outcome := verifying.run(check)).count] == []
    assert verify(None) == []
