"""Touched leads are scored, once, whatever fails meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection, transaction

from leads.models import Lead, Standing
from leads.standing import settle_standings
from scoring import rescore
from scoring.models import DirtyLead, LeadFeature
from tests.scoring.stories import good_fit_lead, settle, some_lead, standing_of, tell_events
from tracking.signals import event_recorded

pytestmark = pytest.mark.django_db


def test_a_new_lead_is_marked_and_scored():
    lead = some_lead(title="Head of Production")
    assert DirtyLead.objects.filter(lead=lead).exists()
    settle()
    assert not DirtyLead.objects.exists()
    standing = standing_of(lead)
    assert (standing.fit, standing.interest, standing.score) == (20, 0, 20)  # 15 title + 5 e-mail
    assert standing.quadrant == "fit" and standing.model_version == 1


def test_events_raise_interest_and_decay():
    lead = some_lead()
    events = tell_events(lead, "pricing_page_viewed 21d ago", "demo_requested 0d ago")
    event_recorded.send(sender=None, lead_ids=[lead.pk], event_ids=[e.pk for e in events])
    settle()
    assert standing_of(lead).interest == Decimal("39.00")  # 8 half gone, and 35


def test_crossing_makes_an_mql():
    lead = good_fit_lead()
    tell_events(lead, "demo_requested 0d ago")
    event_recorded.send(sender=None, lead_ids=[lead.pk], event_ids=[])
    settle()
    lead.refresh_from_db()
    assert standing_of(lead).score == Decimal("85.00")
    assert lead.stage == "mql"
    assert lead.episodes.last().actor_label == "Scoring model v1"


def test_nothing_to_do():
    settle()
    assert not Standing.objects.exists() and not LeadFeature.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_scoring_all_leads_does_not_wait_for_who_reads_leads():
    """Waiting for readers while it holds writers off is how two wait for each other."""
    lead = some_lead()
    rescore.enqueue([lead.pk])
    settle()

    def score_all() -> None:
        try:
            with transaction.atomic():
                rescore.recompute_all()
        finally:
            connection.close()

    with transaction.atomic():
        assert Lead.objects.filter(pk=lead.pk).exists()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(score_all).result(timeout=20)
    settle_standings()
    assert standing_of(lead).model_version == 1
