"""Opportunities of a CRM: the real file with exactly the known counts, and made-up edges."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db.models import Sum

from leads.models import Account, Lead, StageEpisode
from leads.stages import Stage
from sales.models import Opportunity, Product
from tests.import_steps import bring, run, upload
from tests.shared_data import real_file

pytestmark = pytest.mark.django_db

HEADER = "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value"


def deals(*rows: str) -> str:
    return "\n".join([HEADER, *rows])


def story(opportunity: Opportunity) -> list[tuple]:
    return [
        (e.stage, e.is_date_unknown, f"{e.entered_at:%y-%m-%d}")
        for e in opportunity.lead.episodes.order_by("seq")
        if not e.is_pass_through
    ]


@pytest.fixture
def catalogue(db) -> Product:
    return Product.objects.create(name="GTX Pro", normalised_name="gtxpro")


def test_the_real_pipeline_comes_in_with_exactly_the_known_counts(mia):
    assert bring(real_file("accounts.csv"), mia)["created"] == 85
    assert bring(real_file("products.csv"), mia)["created"] == 7
    pipeline = real_file("sales_pipeline.csv")
    tally = bring(pipeline, mia, "pipeline.csv")
    assert tally["created"] == 8800
    assert tally["warned"] == tally["notes"]["product_spelling"] == 1480
    assert tally["notes"]["no_account"] == 1425
    outcomes = Counter(Opportunity.objects.values_list("outcome", flat=True))
    assert outcomes == {"won": 4238, "lost": 2473, "open": 1589 + 500}
    won = Opportunity.objects.filter(outcome="won")
    assert won.aggregate(sum=Sum("amount"))["sum"] == Decimal(10_005_534)
    assert Opportunity.objects.filter(product=None).count() == 0
    assert Opportunity.objects.filter(product__name="GTX Pro").count() == 1480
    assert Lead.objects.filter(account=None).count() == 1425
    assert Account.objects.count() == 85
    stages = Counter(Lead.objects.values_list("stage", flat=True))
    assert stages == {"customer": 4238, "lost": 2473, "sql": 1589, "sal": 500}
    known = StageEpisode.objects.filter(is_date_unknown=False)
    assert Counter(known.values_list("stage", flat=True)) == {
        "sql": 8300,
        "customer": 4238,
        "lost": 2473,
    }
    # The same file again: nothing new, nothing changed.
    again = bring(pipeline, mia, "pipeline.csv")
    assert (again["unchanged"], again["warned"]) == (8800, 1480)
    assert Opportunity.objects.count() == 8800


def test_a_won_deal_tells_its_whole_history(mia, catalogue):
    bring(deals("A1,Moses Frase,GTX Pro,Cancity,Won,20-10-16,01-03-17,1054"), mia)
    deal = Opportunity.objects.get()
    assert story(deal) == [("sql", False, "16-10-19"), ("customer", False, "17-02-28")]
    assert (deal.name, deal.amount, deal.outcome) == ("GTX Pro – Cancity", 1054, "won")
    assert deal.opened_at < deal.closed_at == datetime(2017, 2, 28, 23, tzinfo=UTC)
    assert deal.lead.account.name == deal.lead.company == "Cancity"
    assert deal.lead.custom == {"sales_agent": "Moses Frase"}
    assert deal.lead.owner is None


def test_a_lead_belongs_to_the_agent_who_is_a_user_here(mia, sam, catalogue):
    sam.last_name = "Frase"
    sam.save()
    bring(deals("A1,Sam Frase,GTX Pro,Cancity,Engaging,20-10-16,,"), mia)
    lead = Lead.objects.get()
    assert (lead.owner, lead.team, lead.stage) == (sam, sam.team, Stage.SQL)


def test_a_later_file_moves_a_deal_on_and_says_what_it_was_worth(mia, catalogue):
    bring(deals("A1,Moses Frase,GTX Pro,Cancity,Engaging,25-10-16,,"), mia)
    assert Opportunity.objects.get().is_open
    tally = bring(deals("A1,Moses Frase,GTX Pro,Cancity,Won,25-10-16,01-03-17,1054"), mia)
    assert tally["updated"] == 1
    deal = Opportunity.objects.get()
    assert (deal.outcome, deal.amount) == ("won", 1054)
    assert story(deal) == [("sql", False, "16-10-24"), ("customer", False, "17-02-28")]


def test_a_prospect_is_with_sales_since_nobody_knows_when(mia, catalogue):
    bring(deals("A1,Moses Frase,GTX Pro,,Prospecting,,,", "B,,GTX Pro,,Won,25-10-16,,"), mia)
    prospect = Opportunity.objects.get(lead__external_ids__value="A1")
    assert prospect.lead.stage == Stage.SAL
    assert [step[:2] for step in story(prospect)] == [("sal", True)]
    assert (prospect.is_open, prospect.lead.company) == (True, "")


def test_closed_before_engaged_is_reported_and_still_won(mia, catalogue):
    tally = bring(deals("A1,Moses,GTX Pro,Acme,Won,25-03-17,01-03-17,9"), mia)
    assert tally["notes"]["date_before_stage"] == 1
    deal = Opportunity.objects.get()
    assert story(deal) == [("sql", False, "17-03-24"), ("customer", True, "17-03-24")]
    assert deal.outcome == "won"


def test_products_are_found_however_they_are_spelled_but_never_invented(mia, catalogue):
    rows = [
        f"A{n},Moses,{product},Acme,Engaging,25-10-16,,"
        for n, product in enumerate(("GTX Pro", "GTXPro", "gtx-pro", "GTX Ultra"))
    ]
    tally = bring(deals(*rows), mia)
    assert tally["notes"]["product_spelling"] == 2
    assert tally["notes"]["product_unknown"] == 1
    assert Opportunity.objects.filter(product=catalogue).count() == 3
    assert Product.objects.count() == 1


@pytest.mark.parametrize("amount", ["-5", "99999999999999"])
def test_an_amount_that_cannot_be_right_is_left_out(mia, catalogue, amount):
    tally = bring(deals(f"A1,Moses,GTX Pro,Acme,Won,25-10-16,01-03-17,{amount}"), mia)
    assert (tally["created"], tally["notes"]["impossible_fact"]) == (1, 1)
    assert Opportunity.objects.get().amount is None


def test_a_salesforce_export_is_understood_by_its_headers(mia, catalogue):
    content = (
        '"Opportunity ID","Opportunity Name","Account Name","Stage","Amount","Probability (%)",'
        '"Close Date","Product Name"\n'
        '"006A","Acme renewal","Acme","Negotiation/Review","$12,000.00","60","12/31/2099","GTX Pro"\n'  # noqa: E501
        '"006B","Beta rollout","Beta","Closed Won","$1,500.50","100","3/14/2018","GTX Pro"\n'
    )
    job = upload(content, mia, "opps.csv")
    from leads import importing

    importing.start_over(job.pk, target_key="opportunities")
    job.refresh_from_db()
    assert run(job)["created"] == 2
    renewal = Opportunity.objects.get(name="Acme renewal")
    assert (renewal.amount, renewal.is_open) == (12_000, True)
    assert f"{renewal.expected_close_on}" == "2099-12-31"
    rollout = Opportunity.objects.get(name="Beta rollout")
    assert (rollout.amount, rollout.outcome) == (Decimal("1500.50"), "won")
