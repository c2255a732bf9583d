"""A hand-off from submission to decision, through its own doors."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.timezone import localdate, now

from leads import editing, lifecycle
from leads.actors import Actor
from leads.capture import capture_lead
from leads.models import StageEpisode
from leads.refusals import Conflict, Refused
from leads.signals import stage_changed
from leads.stages import Stage
from sales import handoff as handoffs
from sales.models import Handoff, HandoffEvent, RejectReason
from tests.conftest import person
from tests.sales.conftest import SYSTEM, become_mql, handoff_of


def log(handoff) -> list[tuple]:
    return [(e.kind, e.actor_label, e.assignee and str(e.assignee)) for e in handoff.events.all()]


def test_an_mql_opens_a_handoff_and_a_rep_gets_it(mql, handoff, sam, north):
    assert (handoff.state, handoff.assignee, handoff.team) == ("submitted", sam, north)
    assert handoff.submitted_at == mql.stage_entered_at
    assert (mql.owner, mql.team) == (sam, north)
    assert log(handoff) == [("submitted", "Ana", None), ("assigned", "Routing", "Sam")]


def test_the_same_news_twice_opens_one_handoff(mql):
    episode = mql.episodes.last()
    for _time in range(2):
        stage_changed.send(sender=StageEpisode, lead=mql, episode=episode, by=SYSTEM)
    assert Handoff.objects.count() == 1


def test_accepting_makes_an_sal(mql, handoff, sam):
    handoffs.accept(handoff.pk, by=Actor.of(sam))
    handoff.refresh_from_db()
    mql.refresh_from_db()
    assert (handoff.state, handoff.decided_by) == ("accepted", sam)
    assert (mql.stage, mql.owner) == ("sal", sam)
    assert log(handoff)[-1] == ("accepted", "Sam", None)
    assert mql.episodes.last().criteria[0]["sentence"] == "Sam accepted the hand-off."


def test_sales_rejects_an_mql_and_it_is_recycled(mql, handoff, sam):
    handoffs.reject(handoff.pk, by=Actor.of(sam), reason_code="bad_timing", note="New CFO in May")
    handoff.refresh_from_db()
    mql.refresh_from_db()
    in_90_days = localdate() + timedelta(days=90)
    assert (handoff.state, handoff.reject_reason.code) == ("rejected", "bad_timing")
    assert (mql.stage, mql.cycle, mql.not_before_on) == ("qualified", 2, in_90_days)
    assert mql.episodes.last().reason == "Bad timing: New CFO in May"
    assert handoff.not_before_on == in_90_days


def test_the_rep_may_name_the_day_from_which_it_may_come_back(mql, handoff, sam):
    day = localdate() + timedelta(days=12)
    handoffs.reject(handoff.pk, by=Actor.of(sam), reason_code="bad_timing", not_before_on=day)
    mql.refresh_from_db()
    assert mql.not_before_on == day


def test_some_reasons_disqualify(mql, handoff, sam):
    handoffs.reject(handoff.pk, by=Actor.of(sam), reason_code="student")
    mql.refresh_from_db()
    assert (mql.stage, mql.not_before_on) == ("disqualified", None)


@pytest.mark.parametrize(
    ("reason_code", "days", "sentence"),
    [
        ("", 9, "Choose a reason"),
        ("no_such", 9, "Choose a reason"),
        ("retired", 9, "Choose a reason"),
        ("bad_timing", -1, "lies in the past"),
    ],
)
def test_a_rejection_without_a_sound_reason_changes_nothing(
    handoff, sam, reason_code, days, sentence
):
    RejectReason.objects.create(code="retired", label="Retired", is_active=False)
    with pytest.raises(Refused, match=sentence):
        handoffs.reject(
            handoff.pk,
            by=Actor.of(sam),
            reason_code=reason_code,
            not_before_on=localdate() + timedelta(days=days),
        )
    handoff.refresh_from_db()
    assert handoff.state == "submitted"


def test_who_comes_second_is_told_who_was_faster(handoff, sam, mona):
    handoffs.accept(handoff.pk, by=Actor.of(sam))
    with pytest.raises(Conflict, match="Sam was faster: Kim Lee was accepted on"):
        handoffs.reject(handoff.pk, by=Actor.of(mona), reason_code="student")
    with pytest.raises(Conflict, match="You have decided already"):
        handoffs.accept(handoff.pk, by=Actor.of(sam))


@pytest.mark.parametrize("who", ["mia", "sue", "viv", "tom"])
def test_nobody_else_decides(handoff, who, request, north):
    user = person("Tom", "rep", north) if who == "tom" else request.getfixturevalue(who)
    for decide in (
        lambda: handoffs.accept(handoff.pk, by=Actor.of(user)),
        lambda: handoffs.reject(handoff.pk, by=Actor.of(user), reason_code="student"),
    ):
        with pytest.raises(Refused, match="Only its rep"):
            decide()
    handoff.refresh_from_db()
    assert handoff.state == "submitted"


@pytest.mark.parametrize("who", ["sam", "mona", "ana"])
def test_rep_manager_and_admin_decide(handoff, who, request):
    handoffs.accept(handoff.pk, by=Actor.of(request.getfixturevalue(who)))
    handoff.refresh_from_db()
    assert (handoff.state, str(handoff.assignee)) == ("accepted", "Sam")


def test_a_second_stay_in_mql_is_a_second_handoff(mql, handoff, sam, ana):
    handoffs.reject(handoff.pk, by=Actor.of(sam), reason_code="no_budget")
    lifecycle.advance(mql.pk, Stage.MQL, by=Actor.of(ana), override=True, reason="Budget found")
    second = handoff_of(mql)
    assert (second.cycle, second.route, second.assignee) == (2, "owner", sam)


def test_leaving_mql_by_another_way_withdraws(mql, handoff, mona):
    lifecycle.disqualify(mql.pk, by=Actor.of(mona), reason="Went bankrupt")
    handoff.refresh_from_db()
    assert (handoff.state, handoff.note) == ("withdrawn", "Went bankrupt")


def test_skipping_the_decision_by_override_withdraws(mql, handoff, mona):
    lifecycle.advance(mql.pk, Stage.SQL, by=Actor.of(mona), override=True, reason="CEO called")
    handoff.refresh_from_db()
    assert handoff.state == "withdrawn"


def test_a_manager_reassigns_and_the_clock_goes_on(mql, handoff, sam, mona, north):
    tom = person("Tom", "rep", north)
    due_at = handoff.due_at
    handoffs.assign(handoff.pk, tom, by=Actor.of(mona), note="Sam is ill")
    handoff.refresh_from_db()
    mql.refresh_from_db()
    assert (handoff.assignee, mql.owner, handoff.due_at) == (tom, tom, due_at)
    assert log(handoff)[-1] == ("reassigned", "Mona", "Tom")
    with pytest.raises(Conflict, match="is assigned to Tom since"):
        handoffs.accept(handoff.pk, by=Actor.of(sam))


def test_a_lead_given_away_takes_its_handoff_along(mql, handoff, sam, mona, north):
    tom = person("Tom", "rep", north)
    editing.assign_by_hand(mql.pk, owner=tom, by=Actor.of(mona))
    handoff.refresh_from_db()
    assert (handoff.assignee, handoff.route) == (tom, "manager")
    editing.assign_by_hand(mql.pk, owner=None, by=Actor.of(mona))
    handoff.refresh_from_db()
    assert (handoff.assignee, handoff.queue_reason) == (None, "returned")
    assert [kind for kind, _by, _to in log(handoff)][2:] == ["reassigned", "queued"]


def test_a_manager_puts_it_into_the_queue_and_a_rep_takes_it(mql, handoff, sam, mona):
    handoffs.assign(handoff.pk, None, by=Actor.of(mona))
    handoff.refresh_from_db()
    assert (handoff.assignee, handoff.queue_reason) == (None, "returned")
    handoffs.take(handoff.pk, by=Actor.of(sam))
    handoff.refresh_from_db()
    mql.refresh_from_db()
    assert (handoff.assignee, mql.owner) == (sam, sam)
    with pytest.raises(Refused, match="assigned to Sam already"):
        handoffs.take(handoff.pk, by=Actor.of(sam))


@pytest.mark.parametrize(
    ("by", "to", "sentence"),
    [
        ("sam", "sam", "Only a manager or an admin"),
        ("mona", "sue", "not in your team"),
        ("mona", "mia", "not an active sales rep"),
        ("ana", "mona", "not an active sales rep"),
    ],
)
def test_who_assigns_to_whom(handoff, by, to, sentence, request):
    by, to = request.getfixturevalue(by), request.getfixturevalue(to)
    with pytest.raises(Refused, match=sentence):
        handoffs.assign(handoff.pk, to, by=Actor.of(by))


def test_whoever_decides_on_a_queued_handoff_takes_it(north, ana, sam, mona):
    sam.is_available = False
    sam.save()
    lead = become_mql(ana)
    queued = handoff_of(lead)
    assert (queued.assignee, queued.team, queued.queue_reason) == (None, north, "all_absent")
    with pytest.raises(Refused, match="Assign this hand-off to a rep first"):
        handoffs.accept(queued.pk, by=Actor.of(ana))
    handoffs.accept(queued.pk, by=Actor.of(sam))
    lead.refresh_from_db()
    assert (lead.stage, lead.owner) == ("sal", sam)
    with pytest.raises(Conflict, match="Sam was faster"):
        handoffs.accept(queued.pk, by=Actor.of(mona))


@pytest.fixture
def imported_mql(sam):
    lead, _was_new = capture_lead(
        by=SYSTEM, email="old@acme.example", first_seen_at=now() - timedelta(days=999)
    )
    importer = Actor.importer("list.csv")

    def step(stage, days_ago):
        lifecycle.record_imported_step(
            lead.pk, stage, by=importer, at=now() - timedelta(days=days_ago)
        )
        lead.refresh_from_db()
        return lead

    step(Stage.QUALIFIED, 400)
    return step


def test_imported_history_opens_nothing_by_itself(imported_mql):
    imported_mql(Stage.MQL, 3)
    assert not Handoff.objects.exists()


def test_an_imported_mql_of_these_days_is_submitted_afterwards_once(imported_mql, sam):
    lead = imported_mql(Stage.MQL, 3)
    assert [handoffs.open_missing(10), handoffs.open_missing(10)] == [1, 0]
    handoff = handoff_of(lead)
    assert handoff.assignee == sam
    assert now() - handoff.submitted_at < timedelta(minutes=1)


def test_an_mql_of_years_ago_is_history_until_somebody_proposes_it(imported_mql, mia):
    lead = imported_mql(Stage.MQL, 300)
    assert handoffs.open_missing(10) == 0
    handoffs.submit_by_hand(lead.pk, by=Actor.of(mia))
    assert handoff_of(lead).state == "submitted"
    with pytest.raises(Conflict, match="proposed to sales already"):
        handoffs.submit_by_hand(lead.pk, by=Actor.of(mia))


def test_imports_that_went_past_mql_leave_no_handoff(imported_mql):
    imported_mql(Stage.MQL, 300)
    imported_mql(Stage.CUSTOMER, 200)
    assert handoffs.open_missing(10) == 0
    assert not HandoffEvent.objects.exists()


def test_only_an_mql_is_proposed(sal, mia):
    with pytest.raises(Refused, match="Only an MQL"):
        handoffs.submit_by_hand(sal.pk, by=Actor.of(mia))
