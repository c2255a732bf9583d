"""A lead is walked from MQL to Customer over HTTP, by the right people and nobody else."""

from __future__ import annotations

import pytest
from django.urls import reverse

from leads.models import Lead
from sales.models import Opportunity
from tests.conftest import person
from tests.sales.conftest import answer_bant, handoff_of, know_the_decision_maker

ANSWERS = {
    f"{letter}_{part}": value
    for letter in ("budget", "authority", "need")
    for part, value in (("verdict", "met"), ("evidence", "Said so on Monday"))
}


class Walk:
    """The next step of a lead, as a form that somebody sends."""

    def __init__(self, client, lead: Lead) -> None:
        self.client, self.lead = client, lead

    def send(self, user, address: str, pk: int, **answers) -> int:
        self.client.force_login(user)
        return self.client.post(reverse(address, args=[pk]), answers).status_code

    def accept(self, user) -> int:
        return self.send(user, "sales:decision", handoff_of(self.lead).pk, decision="accept")

    def record_bant(self, user) -> int:
        return self.send(user, "sales:bant", self.lead.pk, **ANSWERS)

    def advance(self, user) -> int:
        return self.send(
            user,
            "leads:transitions",
            self.lead.pk,
            action="advance",
            expected_seq=Lead.objects.get(pk=self.lead.pk).episode_seq,
        )

    def price(self, user) -> int:
        answers = {"name": "Robots", "currency": "eur", "amount": "12500", "probability": "60"}
        return self.send(user, "sales:opportunity", self.deal().pk, **answers)

    def win(self, user) -> int:
        return self.send(user, "sales:outcome", self.deal().pk, outcome="won", reason="Best price")

    def deal(self) -> Opportunity:
        return Opportunity.objects.get(lead=self.lead)

    def stage(self) -> str:
        return Lead.objects.get(pk=self.lead.pk).stage


@pytest.fixture
def walk(client, mql) -> Walk:
    return Walk(client, mql)


def test_a_rep_walks_a_lead_to_customer(walk, sam):
    assert (walk.accept(sam), walk.stage()) == (303, "sal")
    assert (walk.advance(sam), walk.stage()) == (422, "sal")
    assert walk.record_bant(sam) == 303
    know_the_decision_maker(walk.lead)
    assert (walk.advance(sam), walk.stage()) == (303, "sql")
    assert walk.price(sam) == 303
    assert (walk.deal().amount, walk.deal().currency) == (12500, "EUR")
    assert (walk.win(sam), walk.stage()) == (303, "customer")
    assert walk.win(sam) == 409
    walk.client.force_login(sam)
    page = walk.client.get(reverse("sales:lead_panel", args=[walk.lead.pk]))
    assert page.status_code == 200 and "12,500 EUR" in page.text


@pytest.mark.parametrize(
    ("who", "refusals"), [("mia", {403, 422}), ("viv", {403}), ("sue", {404}), ("tom", {404})]
)
def test_nobody_else_takes_a_single_step(walk, sam, who, refusals, request, north):
    user = person("Tom", "rep", north) if who == "tom" else request.getfixturevalue(who)
    assert walk.accept(user) in refusals
    walk.accept(sam)
    assert walk.record_bant(user) in refusals
    answer_bant(walk.lead, sam)
    know_the_decision_maker(walk.lead)
    assert walk.advance(user) in refusals
    assert walk.stage() == "sal"
    walk.advance(sam)
    assert {walk.price(user), walk.win(user)} <= refusals
    assert walk.stage() == "sql"


@pytest.mark.parametrize("who", ["mona", "ana"])
def test_manager_and_admin_may_help_out_on_every_step(walk, who, request):
    user = request.getfixturevalue(who)
    know_the_decision_maker(walk.lead)
    steps = [walk.accept, walk.record_bant, walk.advance, walk.price, walk.win]
    assert [step(user) for step in steps] == [303] * 5
    assert walk.stage() == "customer"


def test_losing_over_http(walk, sam):
    walk.accept(sam)
    walk.record_bant(sam)
    know_the_decision_maker(walk.lead)
    walk.advance(sam)
    pk = walk.deal().pk
    assert walk.send(sam, "sales:outcome", pk, outcome="lost", reason="") == 422
    assert walk.send(sam, "sales:outcome", pk, outcome="perhaps") == 422
    assert walk.send(sam, "sales:outcome", pk, outcome="lost", reason="Price") == 303
    assert walk.stage() == "lost"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", "-1"),
        ("amount", "NaN"),
        ("probability", "101"),
        ("currency", "E1"),
        ("name", ""),
        ("demo_held_on", "yesterday"),
        ("product", "999999"),
    ],
)
def test_an_opportunity_says_what_is_wrong_with_it(walk, sam, field, value):
    walk.accept(sam)
    walk.record_bant(sam)
    know_the_decision_maker(walk.lead)
    walk.advance(sam)
    answers = {"name": "Robots", "currency": "EUR", field: value}
    assert walk.send(sam, "sales:opportunity", walk.deal().pk, **answers) == 422
    assert walk.deal().amount is None


def test_bant_answers_that_did_not_change_are_not_recorded_again(walk, sam):
    walk.accept(sam)
    walk.record_bant(sam)
    walk.record_bant(sam)
    assert walk.lead.bant_answers.count() == 3


def test_evidence_is_asked_for(walk, sam):
    walk.accept(sam)
    assert walk.send(sam, "sales:bant", walk.lead.pk, need_verdict="met") == 422
    assert walk.send(sam, "sales:bant", walk.lead.pk, need_verdict="perhaps") == 422
    assert not walk.lead.bant_answers.exists()


@pytest.mark.parametrize("who", ["mia", "sam", "mona", "ana"])
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_the_panel_is_read_by_all_who_see_the_lead(walk, client, who, headers, request):
    user = request.getfixturevalue(who)
    client.force_login(user)
    page = client.get(reverse("sales:lead_panel", args=[walk.lead.pk]), headers=headers)
    assert page.status_code == 200
    assert ("Accept or reject" in page.text) == (who != "mia")
    assert ("Save answers" in page.text) == (who != "mia")


def test_pipeline_and_customers(walk, client, sam, sue):
    client.force_login(sam)
    for address in ("sales:pipeline", "sales:customers"):
        assert client.get(reverse(address)).status_code == 200
    walk.accept(sam)
    walk.record_bant(sam)
    know_the_decision_maker(walk.lead)
    walk.advance(sam)
    walk.price(sam)
    page = client.get(reverse("sales:pipeline")).text
    assert "Kim Lee" in page and "12,500 EUR" in page and "7,500 EUR" in page
    assert "3 of 4 met" in page
    walk.win(sam)
    assert "Kim Lee" in client.get(reverse("sales:customers")).text
    client.force_login(sue)
    assert "Kim Lee" not in client.get(reverse("sales:customers")).text


def test_an_mql_without_handoff_is_proposed_by_marketing(client, mia, sam, ana, mql, handoff):
    client.force_login(mia)
    address = reverse("sales:proposal", args=[mql.pk])
    assert client.post(address).status_code == 409
    client.force_login(sam)
    assert client.post(address).status_code == 403
