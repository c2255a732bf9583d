"""Overruling by a rule, taking it back, and everything that is restated by that."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, InternalError, connection, transaction

from leads.models import LastActivity, Lead, Standing
from leads.refusals import Conflict, Refused
from tests.hindsight import change_events
from tests.tracking.ruling import ADA, GOOGLEBOT, MIA, books_balance, rule, settle, take_back
from tests.tracking.test_attaching import known
from tracking.models import (
    CloudNetwork,
    Event,
    PendingEvent,
    Source,
    StaffBrowser,
    Verdict,
    VerdictChange,
    VerdictRun,
    Visitor,
)
from tracking.signals import verdicts_changed
from tracking.staff_marks import staff_mark
from tracking.verdicts import ruling, running

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
__all__ = ["rule", "settle", "take_back"]


def verdict_of(event: Event) -> int:
    event.refresh_from_db()
    return event.verdict


def test_a_rule_changes_what_was_stored_and_what_comes(tell, settle, rule, take_back):
    bot = tell("page", who="v1", path="/a", header=GOOGLEBOT)
    settle()
    assert not Visitor.objects.exists()
    ours = rule("human", user_agent="googlebot")
    assert verdict_of(bot) == Verdict.HUMAN
    assert bot.verdict_signals == ["crawler", f"rule:{ours.pk}"]
    assert Visitor.objects.get().anonymous_id == "v1"
    fresh = tell("page", who="v2", path="/b", header=GOOGLEBOT)
    settle()
    assert verdict_of(fresh) == Verdict.HUMAN
    assert Visitor.objects.count() == 2
    take_back(ours)
    assert (verdict_of(bot), bot.verdict_signals) == (Verdict.MACHINE, ["crawler"])
    assert verdict_of(fresh) == Verdict.MACHINE
    assert not Visitor.objects.exists()
    assert books_balance()


@pytest.mark.parametrize(
    ("conditions", "hit"),
    [
        ({"user_agent": "FIREFOX"}, {"shop", "form"}),
        ({"network": "203.0.113.9"}, {"form"}),
        ({"network": "203.0.0.0/16"}, {"form"}),
        ({"network": "198.51.100.0/24"}, set()),
        ({"email_domain": "Acme.Example"}, {"form"}),
        ({"path": "/shop"}, {"shop"}),
        ({"event_kind": "form_submitted"}, {"form"}),
        ({"event_kind": "form_submitted", "path": "/shop"}, set()),
        ({"visitor": "v2"}, {"shop"}),
    ],
)
def test_all_conditions_must_be_met(tell, settle, rule, conditions, hit):
    events = {
        "shop": tell("page", who="v2", path="/shop/1"),
        "form": tell("Form Submitted", who="v1", email=ADA, ago=HOUR),
        "api": tell("Signed In", user="u1", trusted=True, header="curl/8"),
    }
    change_events({"context": {"ip": "203.0.113.0"}}, pk=events["form"].pk)
    settle()
    rule("machine", **conditions)
    assert {name for name, event in events.items() if verdict_of(event) == Verdict.MACHINE} == hit


def test_a_rule_may_name_a_source(tell, settle, rule):
    page, said = tell("page", who="v1"), tell("Call Held", trusted=True, email=ADA)
    settle()
    rule("machine", source=Source.objects.get(name="CRM"))
    assert (verdict_of(page), verdict_of(said)) == (Verdict.HUMAN, Verdict.MACHINE)


def test_the_newest_rule_decides(tell, settle, rule, take_back):
    page = tell("page", who="v1", path="/a")
    settle()
    rule("machine", path="/a")
    newer = rule("staff", path="/")
    assert verdict_of(page) == Verdict.STAFF
    take_back(newer)
    assert verdict_of(page) == Verdict.MACHINE


def test_a_lead_is_scored_again_and_its_activity_restated(tell, settle, rule, take_back):
    lead = known(ADA)
    tell("Demo Requested", trusted=True, email=ADA, ago=DAY)
    meeting = tell("Meeting Held", trusted=True, email=ADA, ago=HOUR)
    settle()
    before, active_before = Standing.objects.get(lead=lead), LastActivity.objects.get(lead=lead).at
    assert before.score > 0
    calls = rule("machine", event_kind="meeting_held")
    after = Standing.objects.get(lead=lead)
    assert after.interest < before.interest
    assert LastActivity.objects.get(lead=lead).at < meeting.occurred_at
    take_back(calls)
    again = Standing.objects.get(lead=lead)
    assert float(again.interest) == pytest.approx(float(before.interest), abs=0.02)
    assert LastActivity.objects.get(lead=lead).at == active_before
    assert books_balance()


def test_a_machines_form_that_was_a_humans_makes_its_lead_after_all(tell, settle, rule, take_back):
    view = tell("page", who="v1", path="/a", ago=HOUR)
    tell("Form Submitted", who="v1", email=ADA, consent=True, header=GOOGLEBOT)
    settle()
    assert not Lead.objects.exists()
    ours = rule("human", user_agent="Googlebot")
    lead = Lead.objects.get()
    assert (lead.email, lead.stage) == (ADA, "qualified")
    view.refresh_from_db()
    assert view.lead == lead
    take_back(ours)
    again = rule("human", user_agent="Googlebot")
    assert again.pk != ours.pk
    assert (Lead.objects.count(), lead.consents.count()) == (1, 1)
    assert books_balance()


def test_counting_only_while_it_waits_is_not_having_counted(tell, settle, rule):
    """Overruled and taken back before it could be attached: a later rule still makes the lead."""
    form = tell("Form Submitted", who="v1", email=ADA, consent=True, header=GOOGLEBOT)
    settle()
    ours = ruling.make_rule(
        ruling.read_rule(effect="human", reason="Ours", user_agent="Googlebot"), by=MIA
    )
    running.drain()
    assert PendingEvent.objects.get().event_id == form.pk
    ruling.end_rule(ours.pk, by=MIA)
    running.drain()
    assert verdict_of(form) == Verdict.MACHINE
    settle()
    assert not Lead.objects.exists()
    again = rule("human", user_agent="Googlebot")
    assert (Lead.objects.get().email, Lead.objects.get().consents.count()) == (ADA, 1)
    ruling.end_rule(again.pk, by=MIA)
    settle()
    rule("human", user_agent="Googlebot")
    assert (Lead.objects.count(), Lead.objects.get().consents.count()) == (1, 1)
    told = VerdictChange.objects.filter(event_id=form.pk).order_by("id")
    assert [line.was_waiting for line in told] == [False, True, False, False, False]
    assert books_balance()


def test_colleagues_count_for_nothing_and_neither_do_their_browsers(tell, settle, rule, take_back):
    before = tell("page", who="ours", path="/a", ago=HOUR)
    tell("page", who="theirs", path="/a", ago=HOUR)
    settle()
    domain = rule("staff", email_domain="us.example")
    form = tell("Form Submitted", who="ours", email="sam@us.example")
    after = tell("page", who="ours", path="/b")
    settle()
    assert not Lead.objects.exists()
    assert [verdict_of(event) for event in (before, form, after)] == [Verdict.STAFF] * 3
    assert after.verdict_signals == ["staff_browser"]
    assert Visitor.objects.get().anonymous_id == "theirs"
    take_back(domain)
    assert not StaffBrowser.objects.exists()
    assert [verdict_of(event) for event in (before, form, after)] == [Verdict.HUMAN] * 3
    assert Lead.objects.get().email == "sam@us.example"
    assert books_balance()


def test_a_known_colleagues_later_visits_are_ours_too(tell, settle, rule):
    tell("Form Submitted", who="v1", email="sam@us.example", ago=DAY)
    settle()
    rule("staff", email_domain="us.example")
    view = tell("page", who="v1", path="/pricing")
    settle()
    assert verdict_of(view) == Verdict.STAFF
    assert LastActivity.objects.get().at is None


def test_a_mark_in_the_browser_says_that_it_is_ours(tell, settle, website):
    view = tell("page", who="v1", context={"staff": staff_mark(website.pk)})
    settle()
    assert (verdict_of(view), view.verdict_signals) == (Verdict.STAFF, ["staff_flag"])
    assert not Visitor.objects.exists()


def test_the_history_of_an_event_names_rules_and_cannot_be_edited(tell, settle, rule, take_back):
    page = tell("page", who="v1", path="/a")
    settle()
    first = rule("machine", path="/a")
    take_back(first)
    changes = VerdictChange.objects.filter(event_id=page.pk)
    assert list(changes.values_list("verdict_before", "verdict", "rule")) == [
        (0, 2, first.pk),
        (2, 0, first.pk),
    ]
    with pytest.raises((InternalError, IntegrityError)), transaction.atomic():
        changes.update(verdict=1)


def test_receivers_hear_what_changed_within_the_commit(tell, settle, rule):
    heard = []

    def hear(sender, **news):
        assert connection.in_atomic_block
        heard.append((news["anonymous_ids"], news["event_ids"], news["since"]))

    page = tell("page", who="v1", path="/a")
    settle()
    verdicts_changed.connect(hear)
    try:
        rule("machine", path="/a")
    finally:
        verdicts_changed.disconnect(hear)
    assert heard == [(["v1"], [page.pk], page.occurred_at)]


def test_the_preview_says_what_the_rule_then_does(tell, settle, rule):
    known(ADA)
    tell("page", who="v1", path="/a")
    tell("page", who="v1", path="/a", header=GOOGLEBOT)
    tell("Page Viewed", trusted=True, email=ADA, context={"page": {"path": "/a"}})
    tell("page", who="v2", path="/b")
    settle()
    wanted = {"effect": "machine", "path": "/a"}
    found = ruling.preview(ruling.read_rule(reason="x", **wanted))
    assert (found.event_count, found.lead_count, found.visitor_count) == (2, 1, 1)
    assert (found.begin_count, found.cease_count, found.is_all) == (0, 2, True)
    rule(**wanted)
    assert VerdictRun.objects.get().changed_count == 3  # one of them gets the rule as its reason


@pytest.mark.parametrize(
    "said",
    [
        {"reason": "x"},
        {"reason": " ", "path": "/a"},
        {"reason": "x", "network": "our office"},
        {"reason": "x", "network": "203.0.113.1/99"},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(db, said):
    with pytest.raises(Refused):
        ruling.read_rule(effect="machine", **said)


def test_networks_are_widened_to_what_is_stored():
    assert ruling.widen("203.0.113.77") == "203.0.113.0/24"
    assert ruling.widen("203.0.113.64/26") == "203.0.113.0/24"
    assert ruling.widen("203.0.0.0/16") == "203.0.0.0/16"
    assert ruling.widen("2001:db8:1:2::3") == "2001:db8:1::/48"


def test_a_rule_is_taken_back_once(tell, settle, rule, take_back):
    made = rule("machine", path="/a")
    take_back(made)
    with pytest.raises(Conflict):
        ruling.end_rule(made.pk, by=MIA)


def test_a_run_goes_on_where_it_was_killed(tell, settle, monkeypatch):
    pages = [tell("page", who=f"v{n}", path="/a") for n in range(7)]
    settle()
    monkeypatch.setattr(running, "SLICE", 2)
    ruling.make_rule(ruling.read_rule(effect="machine", reason="x", path="/a"), by=MIA)
    running.drain()
    running.drain()
    judge = running.settle
    with monkeypatch.context() as patch:
        patch.setattr(running, "settle", lambda *_args: 1 / 0)
        for _ in range(6):
            running.drain()
    run = VerdictRun.objects.get()
    assert (run.attempts, run.changed_count, run.finished_at) == (5, 4, None)
    assert "ZeroDivisionError" in run.error
    assert running.settle is judge
    running.resume(run.pk, by=MIA)
    while running.drain():
        pass
    assert {verdict_of(page) for page in pages} == {Verdict.MACHINE}
    assert VerdictRun.objects.get().changed_count == 7


def test_events_that_wait_go_before_a_run(tell, settle, rule):
    rule("machine", path="/a")
    tell("page", who="v1", path="/a")
    ruling.ask_for_run(cause="test")
    assert PendingEvent.objects.count() == 1
    assert running.drain() == 0


def test_what_was_judged_before_signals_were_kept_stays_as_it_is(tell, settle, rule, take_back):
    old = tell("page", who="v1", path="/a")
    settle()
    Event.objects.filter(pk=old.pk).update(verdict=Verdict.MACHINE)
    ours = rule("human", path="/a")
    assert verdict_of(old) == Verdict.HUMAN
    take_back(ours)
    assert (verdict_of(old), old.verdict_signals) == (Verdict.MACHINE, ["earlier_machine"])


def test_a_cloud_network_may_be_added(tell, settle):
    CloudNetwork.objects.create(network="203.0.113.0/24", name="Cloudy")
    page = tell("page", trusted=True, email=ADA, context={"ip": "203.0.113.9"})
    settle()
    assert (verdict_of(page), page.verdict_signals) == (Verdict.HUMAN, ["data_centre"])
