"""From SAL over SQL to Customer: BANT, opportunity, and who may do what."""

from __future__ import annotations

from decimal import Decimal

import pytest

from leads import criteria, lifecycle, timeline
from leads.actors import Actor
from leads.models import AuditEntry
from leads.refusals import Conflict, Refused
from leads.stages import Stage
from sales import bant, opportunities
from sales.models import BantAnswer, Opportunity
from tests.conftest import person
from tests.sales.conftest import answer_bant, know_the_decision_maker


def sentences(lead) -> dict:
    return {r.kind: (r.is_met, r.sentence) for r in criteria.evaluate(lead)}


def test_what_an_mql_still_misses(mql, handoff):
    assert sentences(mql) == {"handoff_accepted": (False, "Sam has not decided yet.")}


def test_bant_answers_are_counted_and_named(sal, sam):
    assert sentences(sal)["bant_minimum"] == (False, "0 of 3 BANT answers are met.")
    answer_bant(sal, sam, ["need", "budget"])
    assert sentences(sal)["bant_minimum"] == (
        False,
        "2 of 3 BANT answers are met: budget, need.",
    )
    answer_bant(sal, sam, ["timeline"])
    assert sentences(sal)["bant_minimum"][0] is True


def test_the_newest_answer_counts_and_the_older_ones_stay(sal, sam):
    answer_bant(sal, sam, ["budget"])
    bant.record_answer(sal.pk, "budget", "not_met", by=Actor.of(sam), evidence="Frozen")
    assert bant.newest_answers(sal)[0].verdict == "not_met"
    assert BantAnswer.objects.count() == 2


def test_an_answer_that_is_met_needs_evidence(sal, sam):
    with pytest.raises(Refused, match="Need: say how you know"):
        bant.record_answer(sal.pk, "need", "met", by=Actor.of(sam), evidence=" ")


def test_answers_of_an_earlier_cycle_do_not_count(sal, sam, ana):
    answer_bant(sal, sam)
    lifecycle.recycle(sal.pk, by=Actor.of(sam), reason="Budget cut")
    sal.refresh_from_db()
    assert [line.answer for line in bant.newest_answers(sal)] == [None] * 4
    with pytest.raises(Refused, match="while sales works with a lead"):
        answer_bant(sal, sam)


def test_an_sal_moves_when_sales_knows_enough_and_not_before(sal, sam):
    with pytest.raises(Refused, match="0 of 3 BANT answers"):
        lifecycle.advance(sal.pk, Stage.SQL, by=Actor.of(sam))
    answer_bant(sal, sam)
    know_the_decision_maker(sal)
    sal.refresh_from_db()
    assert sal.stage == "sal"
    lifecycle.advance(sal.pk, Stage.SQL, by=Actor.of(sam))
    assert Opportunity.objects.get(lead=sal).is_open


def test_winning_makes_a_customer_in_the_same_breath(deal, sam):
    opportunity = Opportunity.objects.get(lead=deal)
    opportunities.update(opportunity.pk, {"amount": Decimal("12500.00")}, by=Actor.of(sam))
    opportunities.win(opportunity.pk, by=Actor.of(sam), reason="Best service")
    deal.refresh_from_db()
    opportunity.refresh_from_db()
    assert (deal.stage, opportunity.outcome) == ("customer", "won")
    assert deal.stage_entered_at == opportunity.closed_at
    with pytest.raises(Conflict, match="is won already"):
        opportunities.update(opportunity.pk, {"amount": 1}, by=Actor.of(sam))
    log = AuditEntry.objects.filter(object_kind="opportunity").order_by("id")
    assert [(e.verb, e.actor_label, e.changes) for e in log] == [
        ("changed", "Sam", {"amount": ["None", "12500.00"]}),
        ("won", "Sam", {}),
    ]


def test_losing_needs_a_reason(deal, sam):
    opportunity = Opportunity.objects.get(lead=deal)
    with pytest.raises(Refused, match="Say why"):
        opportunities.lose(opportunity.pk, by=Actor.of(sam), reason="")
    opportunity.refresh_from_db()
    assert opportunity.is_open
    opportunities.lose(opportunity.pk, by=Actor.of(sam), reason="Price")
    deal.refresh_from_db()
    opportunity.refresh_from_db()
    assert (deal.stage, opportunity.outcome, opportunity.reason) == ("lost", "lost", "Price")


@pytest.mark.parametrize(
    ("way", "stage", "outcome"),
    [
        (lifecycle.recycle, "qualified", "lost"),
        (lifecycle.disqualify, "disqualified", "lost"),
        (lifecycle.lose, "lost", "lost"),
    ],
)
def test_leaving_the_stage_by_another_way_closes_the_opportunity(deal, mona, way, stage, outcome):
    way(deal.pk, by=Actor.of(mona), reason="Merged with a rival")
    deal.refresh_from_db()
    opportunity = Opportunity.objects.get(lead=deal)
    assert (deal.stage, opportunity.outcome) == (stage, outcome)
    assert opportunity.reason == "Merged with a rival"


def test_an_override_to_customer_wins_the_opportunity(deal, mona):
    lifecycle.advance(
        deal.pk, Stage.CUSTOMER, by=Actor.of(mona), override=True, reason="Signed on paper"
    )
    assert Opportunity.objects.get(lead=deal).outcome == "won"


@pytest.mark.parametrize("who", ["mia", "sue", "viv", "tom"])
def test_nobody_else_works_on_a_deal(deal, who, request, north):
    user = person("Tom", "rep", north) if who == "tom" else request.getfixturevalue(who)
    pk = Opportunity.objects.get(lead=deal).pk
    by = Actor.of(user)
    for act in (
        lambda: bant.record_answer(deal.pk, "need", "unknown", by=by),
        lambda: opportunities.update(pk, {"amount": 1}, by=by),
        lambda: opportunities.win(pk, by=by),
        lambda: opportunities.lose(pk, by=by, reason="x"),
    ):
        with pytest.raises(Refused, match="Only the owner"):
            act()
    deal.refresh_from_db()
    assert deal.stage == "sql"


@pytest.mark.parametrize("who", ["sam", "mona", "ana"])
def test_owner_manager_and_admin_win_deals(deal, who, request):
    pk = Opportunity.objects.get(lead=deal).pk
    opportunities.win(pk, by=Actor.of(request.getfixturevalue(who)))
    deal.refresh_from_db()
    assert deal.stage == "customer"


def test_an_opportunity_is_won_from_its_stage_only(sal, sam):
    early = opportunities.open_opportunity(sal, at=sal.stage_entered_at)
    with pytest.raises(Refused, match="only an SQL can be won or lost"):
        opportunities.win(early.pk, by=Actor.of(sam))


def test_the_timeline_tells_the_whole_story(deal):
    told = [entry.title for entry in timeline.read(deal) if entry.key.split("-")[0] != "stage"]
    assert [title for title in told if title.startswith("Hand-off")] == [
        "Hand-off accepted",
        "Hand-off assigned to Sam",
        "Hand-off submitted",
    ]
    assert "Budget: met" in told
