"""A lead that went back to nurture comes to sales again by new evidence, not by old points."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils.timezone import localdate, now

from leads import criteria, lifecycle
from leads.activity import touch_activity
from leads.actors import Actor
from leads.models import Criterion, Lead
from tests.leads.people import SYSTEM, make_lead

WAITING = {"stage": "qualified", "kind": criteria.WAITING_TIME}


def verdict(lead: Lead, kind: str) -> bool | None:
    results = {result.kind: result for result in criteria.evaluate(lead)}
    return results[kind].is_met


def recycled(**options) -> Lead:
    lead = make_lead(stage="sal")
    lifecycle.recycle(lead.pk, by=SYSTEM, reason="No budget", **options)
    return Lead.objects.get(pk=lead.pk)


def reopened() -> Lead:
    lead = make_lead(stage="sal")
    lifecycle.lose(lead.pk, by=SYSTEM, reason="Chose a competitor")
    lifecycle.reopen(lead.pk, by=SYSTEM, reason="Called us")
    return Lead.objects.get(pk=lead.pk)


def test_who_is_recycled_without_a_day_waits_the_usual_time(db):
    assert recycled().not_before_on == localdate() + timedelta(days=30)


def test_a_day_that_is_named_counts(db):
    day = localdate() + timedelta(days=7)
    assert recycled(not_before_on=day).not_before_on == day


def test_the_usual_time_is_an_admins_setting(db):
    Criterion.objects.filter(**WAITING).update(params={"days": 90})
    assert recycled().not_before_on == localdate() + timedelta(days=90)
    Criterion.objects.filter(**WAITING).update(is_active=False)
    assert recycled().not_before_on is None


def test_a_new_cycle_asks_for_activity_since_it_began(db):
    for lead in (recycled(), reopened()):
        touch_activity({lead.pk: lead.stage_entered_at - timedelta(seconds=1)})
        assert verdict(lead, criteria.NEW_ACTIVITY) is False
        touch_activity({lead.pk: now() + timedelta(seconds=1)})
        assert verdict(lead, criteria.NEW_ACTIVITY) is True


def test_the_first_cycle_asks_for_nothing_of_the_kind(db):
    assert verdict(make_lead(stage="qualified"), criteria.NEW_ACTIVITY) is True


def test_who_was_reopened_waits_for_no_day(db):
    lead = reopened()
    assert lead.not_before_on is None
    assert verdict(lead, criteria.WAITING_TIME) is True


def test_the_form_proposes_the_usual_day(sam, client: Client):
    lead = make_lead(stage="sal", owner=sam)
    client.force_login(sam)
    page = client.get(f"/leads/{lead.pk}/").content.decode()
    assert f'value="{localdate() + timedelta(days=30):%Y-%m-%d}"' in page
    form = {"action": "recycle", "expected_seq": lead.episode_seq, "reason": "No budget"}
    client.post(f"/leads/{lead.pk}/transitions/", form)
    lead.refresh_from_db()
    assert lead.not_before_on == localdate() + timedelta(days=30)


@pytest.mark.parametrize("days", ["soon", 0, -1, 1_000, None])
def test_a_waiting_time_that_makes_no_sense_is_refused(db, days):
    with pytest.raises(criteria.Refused):
        criteria.check_params(criteria.WAITING_TIME, {"days": days})


def test_a_marketer_may_go_on_with_a_reason(mia):
    lead = reopened()
    lifecycle.advance(lead.pk, "mql", by=Actor.of(mia), override=True, reason="Met at the fair")
    assert Lead.objects.get(pk=lead.pk).stage == "mql"


@pytest.mark.parametrize("stage", ["mql", "sal", "sql"])
def test_what_is_with_sales_is_recycled_and_not_reopened(sam, client: Client, stage):
    """Reopening waits for no day: it is for people who had left."""
    lead = make_lead(stage=stage, owner=sam)
    client.force_login(sam)
    said = {"action": "reopen", "reason": "Again", "expected_seq": lead.episode_seq}
    response = client.post(f"/leads/{lead.pk}/transitions/", said)
    assert response.status_code == 422
    assert Lead.objects.get(pk=lead.pk).stage == stage
