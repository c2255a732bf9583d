"""The demo company in the database: complete, consistent, and either all there or not at all."""

from __future__ import annotations

import pytest
from django.conf import global_settings
from django.core.management import CommandError, call_command
from django.db.models import F

from funnel_app.demo.company import COLLEAGUES, DEMO_PASSWORD
from funnel_app.demo.seeding import seed
from funnel_app.verifying import items
from insights.review import making
from insights.review_models import Review
from leads.models import Consent, Lead, StageEpisode, Standing
from leads.refusals import Refused
from leads.stages import Stage
from sales.models import BantAnswer, Handoff, Opportunity
from scoring import backtesting, crossing
from scoring.ledger import explain
from scoring.models import ModelVersion, Training
from tests.demo.conftest import silent, small
from tracking.models import Event, IngestCount, Verdict, Visitor, VisitorLink
from users.models import User
from users.roles import Role


def test_the_books_balance(company, db):
    wrong = [outcome for item in items(None) for outcome in item.run() if outcome.count]
    assert wrong == []


def test_it_is_as_large_as_asked_for(company, db):
    assert company == Event.objects.count() == 5_000
    assert Lead.objects.count() == 200
    received = IngestCount.objects.filter(outcome="received")
    assert sum(row.count for row in received) == 5_000


def test_every_stage_has_somebody(company, db):
    resting = set(Lead.objects.values_list("stage", flat=True))
    assert resting == set(Stage.values) - {Stage.MERGED}


def test_every_chart_has_something_to_say(company, db):
    assert StageEpisode.objects.filter(entry_kind="recycled").exists()
    assert StageEpisode.objects.filter(entry_kind="reopened").exists()
    by_verdict = set(Event.objects.values_list("verdict", flat=True))
    assert by_verdict == {Verdict.HUMAN, Verdict.SUSPECTED, Verdict.MACHINE}
    assert not Event.objects.exclude(verdict=Verdict.HUMAN).filter(verdict_signals=[]).exists()
    assert set(Opportunity.objects.values_list("outcome", flat=True)) == {"open", "won", "lost"}
    assert len(set(Opportunity.objects.values_list("currency", flat=True))) > 1
    assert len(set(BantAnswer.objects.values_list("verdict", flat=True))) > 1
    assert Consent.objects.filter(is_granted=True).exists()
    assert Visitor.objects.filter(lead=None).exists()
    assert len(set(Lead.objects.values_list("channel", flat=True))) > 6
    assert len(set(Standing.objects.values_list("quadrant", flat=True))) >= 3
    months = set(Lead.objects.values_list("created_at__year", "created_at__month"))
    assert len(months) > 12


def test_people_looked_around_before_they_said_who_they_are(company, db):
    link = VisitorLink.objects.filter(visitor__first_seen_at__lt=F("started_at")).first()
    assert link is not None
    earlier = Event.objects.filter(
        anonymous_id=link.visitor.anonymous_id, occurred_at__lt=link.started_at
    )
    assert set(earlier.values_list("lead", flat=True)) == {link.lead_id}


def test_hand_offs_were_rejected_with_reasons_and_accepted(company, db):
    rejected = Handoff.objects.filter(state="rejected")
    assert len(set(rejected.values_list("reject_reason__code", flat=True))) > 1
    assert Handoff.objects.filter(state="accepted").count() > rejected.count()


def test_every_rep_has_work_in_the_inbox(company, db):
    for rep in User.objects.filter(role=Role.REP):
        waiting = Handoff.objects.open().filter(assignee=rep).visible_to(rep)
        assert 5 <= waiting.count() <= 12, rep
        assert Lead.objects.visible_to(rep).count() >= waiting.count()


def test_some_wait_in_the_queue_of_the_team_that_is_full(company, db):
    queued = Handoff.objects.open().filter(assignee=None)
    assert {(handoff.team.name, handoff.queue_reason) for handoff in queued} == {
        ("Asia Pacific", "all_full")
    }


def test_a_hand_off_carries_the_score_of_its_moment(company, db):
    for handoff in Handoff.objects.select_related("lead"):
        then = explain(handoff.lead, as_of=handoff.submitted_at)
        assert abs(handoff.score - then.score) <= 0.02
        assert handoff.quadrant == then.quadrant


def test_nobody_is_an_mql_in_all_but_name(company, db):
    assert not crossing.waiting_leads().filter(standing__is_promising=True).exists()


def test_back_test_review_and_prediction_are_asked_for(company, db):
    proposed = ModelVersion.objects.get(state="in_review")
    assert backtesting.newest_of(proposed).is_running
    assert Review.objects.get().is_running
    assert Training.objects.get().state == Training.State.WAITING
    while backtesting.drain() or making.drain():
        pass
    assert backtesting.newest_of(proposed).finished_at and Review.objects.get().finished_at


def test_the_demo_people_can_sign_in(company, db, settings):
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    people = User.objects.in_bulk([c.email for c in COLLEAGUES], field_name="email")
    assert len(people) == len(COLLEAGUES)
    assert len({person.password for person in people.values()}) == 1
    assert people["mia@demo.example"].check_password(DEMO_PASSWORD)
    assert {c.email: c.role for c in COLLEAGUES} == {p.email: p.role for p in people.values()}
    assert all(person.team for person in people.values() if person.role in ("rep", "manager"))


def test_it_only_goes_into_an_empty_database(company, db):
    with pytest.raises(Refused, match="There are leads already"):
        seed(small(), silent)


def test_the_command_refuses_in_production(db, settings):
    settings.IS_PRODUCTION = True
    with pytest.raises(CommandError, match=r"this is production\. Nothing was created\."):
        call_command("seed_demo")


@pytest.mark.parametrize("option", ["--leads=0", "--events=-1", "--months=1"])
def test_the_command_refuses_impossible_sizes(db, option):
    with pytest.raises(CommandError, match="must lie between"):
        call_command("seed_demo", option)
