"""A decision says what the history of its lead says: PostgreSQL compares them at COMMIT."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from leads import lifecycle
from leads.actors import Actor
from sales import handoff as handoffs
from sales import opportunities
from sales.models import Handoff, Opportunity
from tests.sales.conftest import become_mql


def raw(sql: str, *params) -> None:
    """In a transaction of its own, as far as a test has one: all is compared at its end."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def propose(lead_id: int, episode_id: int, cycle: int = 1) -> None:
    raw(
        """INSERT INTO sales_handoff (lead_id, episode_id, cycle, state, route, queue_reason,
               submitted_at, decided_at, due_at, note, score, fit, interest, quadrant)
           VALUES (%s, %s, %s, 'withdrawn', 'queue', '', now(), now(), now(), '', 0, 0, 0, '')""",
        lead_id,
        episode_id,
        cycle,
    )


@pytest.mark.parametrize(
    "decision",
    [
        "state = 'accepted', decided_at = clock_timestamp()",
        "state = 'rejected', decided_at = clock_timestamp(), reject_reason_id = (SELECT min(id)"
        " FROM sales_rejectreason)",
        "state = 'withdrawn', decided_at = clock_timestamp()",
        "state = 'expired', decided_at = clock_timestamp()",
    ],
)
def test_no_decision_without_its_move(handoff, decision):
    with pytest.raises(DatabaseError, match="ended by nothing"):
        raw(f"UPDATE sales_handoff SET {decision}")
    assert Handoff.objects.get().is_open


def test_no_acceptance_of_somebody_who_was_recycled(handoff, mql, sam):
    with pytest.raises(DatabaseError, match="ended by recycled"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE sales_handoff SET state = 'accepted', decided_at = clock_timestamp()"
            )
        lifecycle.recycle(mql.pk, by=Actor.of(sam), reason="Not now")
        raw("SELECT 1")


def test_a_handoff_belongs_to_a_stay_in_mql_of_its_own_lead(mql, ana):
    other = become_mql(ana)
    stay = Handoff.objects.get(lead=other).episode
    first = mql.episodes.get(seq=1)
    raw(
        "SET LOCAL funnel.erasing = 'on'; DELETE FROM sales_handoffevent; DELETE FROM sales_handoff"
    )
    for lead_id, episode_id, cycle in (
        (mql.pk, stay.pk, 1),
        (mql.pk, first.pk, 1),
        (other.pk, stay.pk, 2),
    ):
        with pytest.raises(DatabaseError, match="must belong to a stay in MQL"):
            propose(lead_id, episode_id, cycle)


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_no_outcome_without_its_move(deal, outcome):
    with pytest.raises(DatabaseError, match="says otherwise"):
        raw("UPDATE sales_opportunity SET outcome = %s, closed_at = now()", outcome)
    assert Opportunity.objects.get().is_open


@pytest.mark.parametrize(
    "change",
    [
        "outcome = 'won'",
        "outcome = 'open', closed_at = NULL",
        "closed_at = now() - interval '1 year'",
        "opened_at = now() - interval '1 year'",
        "cycle = cycle + 1",
    ],
)
def test_a_decided_opportunity_stays_so(deal, mona, change):
    pk = Opportunity.objects.get().pk
    opportunities.lose(pk, by=Actor.of(mona), reason="Price")
    with pytest.raises(DatabaseError, match=r"and stays so|keeps its lead"):
        raw(f"UPDATE sales_opportunity SET {change}")
    assert Opportunity.objects.get().outcome == "lost"


@pytest.mark.parametrize("sql", ["DELETE FROM", "TRUNCATE"])
@pytest.mark.parametrize("is_decided", [True, False])
def test_no_opportunity_disappears(deal, mona, sql, is_decided):
    if is_decided:
        opportunities.lose(Opportunity.objects.get().pk, by=Actor.of(mona), reason="Price")
    raw("SELECT 1")  # for TRUNCATE nothing may be left to compare
    with pytest.raises(DatabaseError, match="append-only"):
        raw(f"SET LOCAL funnel.truncating = 'off'; {sql} sales_opportunity")
    assert Opportunity.objects.exists()


@pytest.mark.parametrize(
    ("outcome", "closed_at"), [("open", "NULL"), ("won", "now()"), ("lost", "now()")]
)
def test_no_opportunity_of_somebody_who_is_not_with_sales(mql, outcome, closed_at):
    with pytest.raises(DatabaseError, match="says otherwise"):
        raw(
            "INSERT INTO sales_opportunity (lead_id, cycle, name, currency, outcome, closed_at,"
            f" reason) VALUES (%s, 1, 'Deal', 'EUR', %s, {closed_at}, '')",
            mql.pk,
            outcome,
        )


def test_a_customer_has_lost_nothing(deal, sam):
    opportunities.win(Opportunity.objects.get().pk, by=Actor.of(sam))
    lead_id = deal.pk
    with pytest.raises(DatabaseError, match="says otherwise"):
        raw(
            "SET LOCAL funnel.erasing = 'on'; DELETE FROM sales_opportunity;"
            "INSERT INTO sales_opportunity (lead_id, cycle, name, currency, outcome, closed_at,"
            f" reason) VALUES ({lead_id:d}, 1, 'Deal', 'EUR', 'lost', now(), '')"
        )


def test_the_facts_of_a_deal_may_still_be_put_right(deal, sam):
    opportunities.win(Opportunity.objects.get().pk, by=Actor.of(sam))
    raw("UPDATE sales_opportunity SET amount = 7, name = 'Acme, phase 1', reason = 'Best price'")
    assert Opportunity.objects.get().amount == 7


def test_what_the_product_decides_passes(deal, sam, ana, mona):
    """Accepted and won, rejected, withdrawn: each with its move."""
    opportunities.win(Opportunity.objects.get().pk, by=Actor.of(sam))
    for decide in (
        lambda lead: handoffs.reject(
            Handoff.objects.get(lead=lead).pk, by=Actor.of(mona), reason_code="no_budget"
        ),
        lambda lead: lifecycle.disqualify(lead.pk, by=Actor.of(ana), reason="Spam"),
    ):
        decide(become_mql(ana))
    raw("SELECT 1")
    states = Handoff.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == ["accepted", "rejected", "withdrawn"]
