"""Scoring anew must not bring a recycled or reopened lead back to sales by old points."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.timezone import now

from leads import lifecycle
from leads.activity import touch_activity
from leads.models import Criterion, Lead
from scoring import crossing, rescore
from tests.scoring.stories import SYSTEM, good_fit_lead, settle, standing_of, tell_events

pytestmark = pytest.mark.django_db


@pytest.fixture
def mql() -> Lead:
    lead = good_fit_lead()
    tell_events(lead, "demo_requested 0d ago")
    score(lead)
    assert lead.stage == "mql"
    return lead


def score(lead: Lead) -> None:
    rescore.enqueue([lead.pk])
    settle()
    lead.refresh_from_db()


def do_something(lead: Lead) -> None:
    tell_events(lead, "page_viewed 0d ago /pricing")
    touch_activity({lead.pk: now()})


def send_back(lead: Lead, way: str) -> None:
    if way == "reopened":
        lifecycle.disqualify(lead.pk, by=SYSTEM, reason="Student")
        lifecycle.reopen(lead.pk, by=SYSTEM, reason="Works there after all")
    else:
        lifecycle.recycle(lead.pk, by=SYSTEM, reason="No budget")
        Lead.objects.filter(pk=lead.pk).update(not_before_on=None if way == "dateless" else now())


@pytest.mark.parametrize("way", ["reopened", "recycled", "dateless"])
def test_old_points_do_not_make_a_second_mql(mql, way):
    send_back(mql, way)
    score(mql)
    assert standing_of(mql).is_promising and mql.stage == "qualified"
    assert crossing.promote() == 0 and rescore.refresh() == 0
    do_something(mql)
    score(mql)
    assert (mql.stage, mql.cycle) == ("mql", 2)


def test_new_activity_does_not_shorten_the_waiting_time(mql):
    lifecycle.recycle(mql.pk, by=SYSTEM, reason="No budget")
    do_something(mql)
    score(mql)
    assert mql.stage == "qualified"
    Lead.objects.filter(pk=mql.pk).update(not_before_on=now() - timedelta(days=1))
    assert crossing.promote() == 1


def test_an_admin_may_do_without_it(mql):
    Criterion.objects.filter(kind="active_in_this_cycle").update(is_active=False)
    send_back(mql, "reopened")
    score(mql)
    assert mql.stage == "mql"
