"""The page “Human or machine”: figures, rules with their preview, and who may see it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from leads.models import AuditEntry
from tests.hindsight import change_events
from tests.tracking.conftest import FIREFOX
from tests.tracking.ruling import GOOGLEBOT, rule, settle, take_back
from tracking.models import CloudNetwork, Event, VerdictRule, VerdictRun, VerdictSignal
from tracking.verdicts import reports, running

__all__ = ["rule", "settle", "take_back"]
PAGE = "tracking:verdicts"
NEW = "tracking:verdict_rule_new"


@pytest.fixture
def page(mia, client: Client) -> Client:
    client.force_login(mia)
    return client


def test_raw_and_human_stand_side_by_side(page, tell, settle, rule):
    for number in range(3):
        tell("page", who=f"v{number}", path="/a")
    for number in range(4):
        tell("page", who=f"bot{number}", header=GOOGLEBOT)
    tell("page", who="v9", path="/a", header="curl/8.1")
    tell("page", who="ours", path="/staff")
    settle()
    rule("staff", path="/staff", reason="Our own pages")
    found = reports.overview()
    today = found.days[-1]
    assert (today.raw, today.counted, today.human) == (9, 4, 3)
    assert (today.suspected, today.machine, today.staff) == (1, 4, 1)
    assert today.counted + today.machine + today.staff == today.raw
    counts = {line.name: line.total for line in found.signals if line.total}
    assert counts == {"crawler": 4, "script_client": 1, f"rule:{VerdictRule.objects.get().pk}": 1}
    text = page.get(reverse(PAGE)).text
    assert "Known crawler" in text
    assert "Rule: Our own pages" in text


def test_the_newest_events_of_a_signal_and_the_way_to_overrule_them(page, tell, settle):
    event = tell("page", who="bot", path="/shop", header=GOOGLEBOT)
    tell("page", who="v1", path="/secret")
    settle()
    text = page.get(reverse(PAGE), {"signal": "crawler"}).text
    assert "/shop" in text
    assert "/secret" not in text
    assert "user_agent=Mozilla%2F5.0%20%28compatible%3B%20Googlebot" in text
    detail = page.get(reverse("tracking:verdict_event", args=[event.pk])).text
    assert "Known crawler" in detail
    assert "It was never judged otherwise." in detail


def test_a_rule_is_previewed_put_into_force_and_taken_back(page, tell, settle, mia):
    event = tell("page", who="v1", path="/monitor")
    settle()
    asked = {"effect": "machine", "path": "/monitor", "reason": "Our monitor"}
    answer = page.post(reverse(NEW), asked | {"preview": "1"})
    assert (answer.status_code, VerdictRule.objects.count()) == (200, 0)
    assert "1 event would change. Leads: 0, visitors: 1." in answer.text
    page.post(reverse(NEW), asked | {"make": "1"})
    made = VerdictRule.objects.get()
    assert (made.made_by, made.reason) == (mia, "Our monitor")
    assert "Stored events are being judged again" in page.get(reverse(PAGE)).text
    settle()
    event.refresh_from_db()
    assert event.is_machine
    detail = page.get(reverse("tracking:verdict_event", args=[event.pk])).text
    assert "Rule: Our monitor" in detail
    for _ in range(2):  # the second one is told who was faster
        page.post(reverse("tracking:verdict_rule_end", args=[made.pk]))
    settle()
    event.refresh_from_db()
    assert not event.is_machine
    assert "taken back by" in page.get(reverse(PAGE)).text
    verbs = AuditEntry.objects.filter(object_kind="verdict_rule").values_list("verb", flat=True)
    assert sorted(verbs) == ["added", "ended"]


@pytest.mark.parametrize(
    "asked",
    [
        {"effect": "machine", "reason": "No condition"},
        {"effect": "machine", "path": "/a"},
        {"effect": "machine", "network": "the office", "reason": "x"},
        {"effect": "robot", "path": "/a", "reason": "x"},
    ],
)
def test_a_rule_that_makes_no_sense_is_answered_with_422(page, asked):
    assert page.post(reverse(NEW), asked | {"make": "1"}).status_code == 422
    assert not VerdictRule.objects.exists()


def test_what_strangers_sent_is_shown_as_text(page, tell, settle):
    evil = "<script>alert(1)</script>"
    tell("page", who=evil, path=evil, header=f"{evil} curl/8")
    settle()
    for signal in ("odd_user_agent", "crawler", "script_client"):
        assert evil not in page.get(reverse(PAGE), {"signal": signal}).text
    assert evil not in page.get(reverse(PAGE), {"signal": evil}).text
    assert evil not in page.get(reverse(NEW), {"user_agent": evil}).text
    event = Event.objects.get()
    assert evil not in page.get(reverse("tracking:verdict_event", args=[event.pk])).text


def test_a_stopped_run_is_let_go_on(page, tell, settle):
    VerdictRun.objects.create(cause="test", attempts=running.MOST_ATTEMPTS, error="ouch")
    assert "stopped after five failed attempts" in page.get(reverse(PAGE)).text
    run = VerdictRun.objects.get()
    page.post(reverse("tracking:verdict_run_resume", args=[run.pk]))
    settle()
    assert VerdictRun.objects.get().finished_at


def test_admins_decide_what_a_signal_means_and_all_events_follow(ana, client, tell, settle):
    event = tell("page", who="bot", header=GOOGLEBOT)
    settle()
    client.force_login(ana)
    signal = VerdictSignal.objects.get(name="crawler")
    url = reverse("admin:tracking_verdictsignal_change", args=[signal.pk])
    assert client.post(url, {"effect": "off"}).status_code == 302
    settle()
    event.refresh_from_db()
    assert (event.verdict, event.verdict_signals) == (0, ["crawler"])
    assert client.get(reverse("admin:tracking_verdictsignal_changelist")).status_code == 200


def test_admins_add_networks_of_clouds(ana, client, tell, settle):
    event = tell("page", who="v1", header=FIREFOX)
    change_events({"context": {"ip": "203.0.113.0"}}, pk=event.pk)
    settle()
    client.force_login(ana)
    url = reverse("admin:tracking_cloudnetwork_add")
    said = {"network": "203.0.113.7", "name": "Cloudy", "is_active": "on"}
    assert client.post(url, said).status_code == 302
    assert CloudNetwork.objects.get(name="Cloudy").network == "203.0.113.0/24"
    settle()
    event.refresh_from_db()
    assert event.verdict_signals == ["data_centre"]
    assert client.post(url, said | {"network": "nowhere"}).status_code == 200


def test_the_page_asks_few_questions(page, tell, settle, django_assert_max_num_queries):
    for number in range(30):
        tell("page", who=f"bot{number}", header=GOOGLEBOT)
    settle()
    with django_assert_max_num_queries(20):
        page.get(reverse(PAGE), {"signal": "crawler"})
