"""Time alone makes leads ready, or cools them: nobody did anything, nothing was edited."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leads.models import Lead
from sales.handoff import open_missing
from sales.models import Handoff
from scoring import drafting, folding, rescore
from scoring.models import ModelVersion, Rule, Signal
from scoring.verifying import verify
from tests.scoring.stories import SYSTEM, good_fit_lead, put_in_force, settle, tell_events

pytestmark = pytest.mark.django_db


@pytest.fixture
def careers_weigh_for_a_day(db) -> None:
    draft = drafting.clone_to_draft(ModelVersion.objects.active().pk, by=SYSTEM)
    signal = Signal(axis="interest", key="careers", label="Looks for a job", frequency="once")
    signal.event_kind, signal.window_days = "page_viewed", 1
    signal.conditions = [{"field": "path", "operator": "starts_with", "value": "/careers"}]
    drafting.prepare_signal(signal)
    signal.save()
    Rule.objects.create(version=draft, signal=signal, points=-90)
    put_in_force(draft)


def test_the_end_of_a_window_makes_exactly_one_handoff(careers_weigh_for_a_day, monkeypatch):
    lead = good_fit_lead()
    tell_events(
        lead, "demo_requested 0d ago", "pricing_page_viewed 0d ago", "page_viewed 23h ago /careers"
    )
    rescore.enqueue([lead.pk])
    settle()
    rescore.refresh()
    assert stage_of(lead) == "qualified"
    instant = folding.database_instant
    monkeypatch.setattr(folding, "database_instant", lambda: instant() + timedelta(hours=2))
    for _turn in range(3):
        rescore.refresh()
        while open_missing(100):
            pass
        assert stage_of(lead) == "mql"
    assert Handoff.objects.filter(lead=lead).count() == 1
    assert verify(None) == []


def stage_of(lead: Lead) -> str:
    lead.refresh_from_db()
    return lead.stage
