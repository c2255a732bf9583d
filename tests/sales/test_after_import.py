"""Imported histories: hand-offs and opportunities are where the stages say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils.timezone import now

from leads import lifecycle
from leads.actors import Actor
from leads.imports.history import Step
from leads.lifecycle_batch import told
from leads.models import Lead
from leads.stages import Stage, path_between
from sales import handoff as handoffs
from sales.models import Handoff, Opportunity

IMPORTER = Actor.importer("crm.csv")


def import_history(lead: Lead, stage: str, *, days_ago: int = 0) -> Lead:
    """Bring a lead to `stage` as the import engine does: in a batch."""
    at = now() - timedelta(days=days_ago)
    moves = path_between(lead.stage, stage)
    steps = [Step(move, at, False, move is not moves[-1]) for move in moves]
    with transaction.atomic():
        locked = Lead.objects.select_for_update(no_key=True).get(pk=lead.pk)
        lifecycle.record_imported_histories([told(locked, steps)], by=IMPORTER)
    lead.refresh_from_db()
    return lead


def test_an_imported_step_past_the_decision_withdraws_the_handoff(mql, handoff):
    import_history(mql, Stage.SAL)
    handoff.refresh_from_db()
    assert (handoff.state, handoff.note) == ("withdrawn", "crm.csv")


def test_an_imported_deal_is_open(mql, handoff):
    import_history(mql, Stage.SQL)
    assert Opportunity.objects.get().is_open


@pytest.mark.parametrize(
    ("stage", "outcome"),
    [
        (Stage.CUSTOMER, "won"),
        (Stage.LOST, "lost"),
        (Stage.DISQUALIFIED, "lost"),
        (Stage.QUALIFIED, "lost"),
    ],
)
def test_an_imported_end_closes_the_deal(deal, stage, outcome):
    import_history(deal, stage)
    opportunity = Opportunity.objects.get()
    assert (opportunity.outcome, opportunity.reason) == (outcome, "crm.csv")
    assert opportunity.closed_at == deal.stage_entered_at


def test_an_imported_customer_without_a_deal_gets_none(mql, handoff):
    import_history(mql, Stage.CUSTOMER)
    assert not Opportunity.objects.exists()
    assert not Handoff.objects.open().exists()


def test_a_deal_known_since_sal_is_closed_when_the_lead_is_lost(sal, mona):
    Opportunity.objects.create(lead=sal, cycle=sal.cycle, name="Imported early")
    lifecycle.lose(sal.pk, by=Actor.of(mona), reason="No answer")
    assert Opportunity.objects.get().outcome == "lost"


def test_the_drain_finds_nothing_to_do_when_all_is_well(deal):
    assert handoffs.open_missing(10) == 0


def test_the_books_balance_after_a_walk(deal, sam):
    from django.db import connection

    from sales.verifying import CHECKS

    with connection.cursor() as cursor:
        for check in CHECKS:
            cursor.execute(check.sql)
            assert cursor.fetchall() == [], check
