"""What is learned was known at the time; what came later does not exist."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.timezone import now

from leads import lifecycle
from leads.actors import Actor
from leads.editing import edit_lead
from leads.models import Account, Lead
from scoring import drafting
from scoring.models import FieldMatch, ModelVersion, Rule, Signal
from scoring.prediction import snapshots
from scoring.prediction.instants import ripe_leads
from tests.factories import UserFactory
from tests.scoring.prediction_stories import SYSTEM, age_of, instant_of, known_lead, reach, tell
from tests.scoring.stories import put_in_force
from tracking.models import Verdict, Visitor, VisitorLink

pytestmark = pytest.mark.django_db
HORIZON = timedelta(days=30)
KINDS = ("page_viewed", "pricing_page_viewed")


@pytest.fixture
def spec(db) -> snapshots.Spec:
    signal = Signal.objects.filter(axis="fit").earliest("ordinal")
    return snapshots.Spec(KINDS, ((signal.pk, signal.key),))


def snapshot(lead: Lead, at, spec: snapshots.Spec) -> dict:
    return {name: cells[0] for name, cells in snapshots.read({lead.pk: at}, spec).items()}


def test_later_news_change_no_snapshot(spec):
    lead = known_lead(300, country="DE", channel="referral", source="partner")
    account = Account.objects.create(name="Acme", industry="Automotive", employee_count=900)
    Account.objects.filter(pk=account.pk).update(created_at=now() - timedelta(days=299))
    Lead.objects.filter(pk=lead.pk).update(account=account)
    at = instant_of(lead)
    tell(lead, at - timedelta(hours=3), "pricing_page_viewed")
    before = snapshot(lead, at, spec)
    assert before["count:pricing_page_viewed"] == 1
    assert before["events:count"] == before["events:active_days"] == 1
    assert before["account:industry"] == "Automotive"
    assert before["lead:country"] == "DE"
    assert before["known_days"] == pytest.approx(age_of(lead).days, abs=0.01)

    add_later_news(lead, at, spec)
    assert snapshot(lead, at, spec) == before
    today = snapshot(lead, now(), spec)
    assert today["count:page_viewed"] == 3
    assert today["lead:country"] == "FR"
    assert today["account:colleagues"] == 1


def add_later_news(lead: Lead, at, spec: snapshots.Spec) -> None:
    tell(lead, at + timedelta(days=3))
    # It happened before, and arrived after.
    tell(lead, at - timedelta(hours=1), received_at=at + timedelta(days=2))
    # A browser that was linked to the lead only later.
    visitor = Visitor.objects.create(
        anonymous_id="b1", lead=lead, first_seen_at=at - timedelta(hours=2), last_seen_at=at
    )
    event = tell(lead, at - timedelta(hours=2), anonymous_id="b1")
    VisitorLink.objects.create(
        visitor=visitor, lead=lead, started_at=at + timedelta(days=1), reason="form",
        event_id=event.pk,
    )  # fmt: skip
    admin = UserFactory(role="admin", team=None)
    edit_lead(lead.pk, changes={"country": "FR"}, custom={}, by=Actor.of(admin))
    FieldMatch.objects.filter(lead=lead).delete()
    FieldMatch.objects.create(
        lead=lead, signal_id=spec.signals[0][0], since=at + timedelta(minutes=1)
    )
    colleague = known_lead(0)
    Lead.objects.filter(pk=colleague.pk).update(account=Lead.objects.get(pk=lead.pk).account)


def test_an_account_that_is_written_down_later_is_not_known(spec):
    lead = known_lead(300)
    Lead.objects.filter(pk=lead.pk).update(created_at=now() - timedelta(days=300))
    account = Account.objects.create(name="Acme", industry="Automotive")
    Lead.objects.filter(pk=lead.pk).update(account=account)
    assert snapshot(lead, instant_of(lead), spec)["account:industry"] is None
    assert snapshot(lead, now(), spec)["account:industry"] == "Automotive"


def test_machines_say_nothing_and_old_events_fade(spec):
    lead = known_lead(300)
    at = instant_of(lead)
    tell(lead, at - timedelta(minutes=5), verdict=Verdict.MACHINE)
    tell(lead, at - timedelta(days=14), "pricing_page_viewed")
    found = snapshot(lead, at, spec)
    assert found["count:page_viewed"] == 0
    assert found["recent:pricing_page_viewed"] == pytest.approx(0.5)
    assert found["events:days_since_last"] == pytest.approx(14)


def test_a_fit_signal_counts_while_it_held(spec):
    lead = known_lead(300)
    at, (pk, key) = instant_of(lead), spec.signals[0]
    FieldMatch.objects.filter(lead=lead).delete()
    FieldMatch.objects.create(
        lead=lead, signal_id=pk, since=at - timedelta(days=9), until=at + timedelta(days=1)
    )
    assert snapshot(lead, at, spec)[f"fit:{key}"] == "yes"
    assert snapshot(lead, at + timedelta(days=2), spec)[f"fit:{key}"] == "no"


def test_what_only_a_draft_counts_is_no_feature():
    draft = drafting.clone_to_draft(ModelVersion.objects.active().pk, by=SYSTEM)
    signal = Signal(axis="fit", key="fresh", label="Fresh")
    signal.conditions = [{"field": "title", "operator": "is", "value": "Pilot"}]
    drafting.prepare_signal(signal)
    signal.save()
    Rule.objects.create(version=draft, signal=signal, points=5)
    before = snapshots.spec_for({})
    assert before.signals and (signal.pk, "fresh") not in before.signals
    put_in_force(draft)
    assert (signal.pk, "fresh") in snapshots.spec_for({}).signals


# --- labels --------------------------------------------------------------------------------


def labels() -> dict[int, int]:
    return {one.lead_id: one.label for one in ripe_leads("sal", HORIZON, now())}


def test_an_outcome_counts_within_the_horizon_only():
    inside, outside, never = known_lead(400), known_lead(400), known_lead(400)
    reach(inside, "sal", instant_of(inside) + timedelta(days=29))
    reach(outside, "sal", instant_of(outside) + timedelta(days=31))
    assert labels() == {inside.pk: 1, outside.pk: 0, never.pk: 0}


def test_an_open_lead_younger_than_the_horizon_is_censored_not_lost():
    known_lead(20)
    assert labels() == {}


def test_a_young_lead_that_has_reached_it_already_is_censored_as_well():
    """Otherwise those who are quick would be all that young leads tell."""
    lead = known_lead(25)
    reach(lead, "sal", now() - timedelta(hours=1))
    assert labels() == {}


def test_who_had_reached_it_before_is_not_looked_at():
    lead = known_lead(400)
    reach(lead, "sal", instant_of(lead) - timedelta(hours=1))
    assert labels() == {}


def test_who_left_within_the_horizon_did_not_reach_it():
    lead = known_lead(400)
    lifecycle.disqualify(lead.pk, by=SYSTEM, reason="Student")
    assert labels() == {lead.pk: 0}


def test_an_outcome_without_a_date_says_nothing():
    lead = known_lead(400)
    lifecycle.record_imported_step(
        lead.pk, "sal", by=SYSTEM, at=now() - timedelta(days=100), is_date_known=False
    )
    assert labels() == {}


def test_instants_go_by_the_number_of_a_lead():
    leads = [known_lead(400) for _each in range(12)]
    found = {one.lead_id: one.instant for one in ripe_leads("sal", HORIZON, now())}
    assert found == {lead.pk: instant_of(lead) for lead in leads}
    assert len({age_of(lead) for lead in leads}) > 1
