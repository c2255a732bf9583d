"""What time and new versions leave on other pages: cooled leads, due reviews, breaks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import localdate

from leads.models import Lead
from scoring import cooling, drafting, rescore
from scoring.models import ModelVersion
from tests.scoring.stories import (
    SYSTEM,
    good_fit_lead,
    publish,
    put_in_force,
    settle,
    some_lead,
    tell_events,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def mql(db) -> Lead:
    lead = good_fit_lead()
    tell_events(lead, "demo_requested 0d ago")
    rescore.enqueue([lead.pk])
    settle()
    lead.refresh_from_db()
    assert lead.stage == "mql"
    return lead


def anew(lead: Lead) -> Lead:
    return Lead.objects.select_related("standing").get(pk=lead.pk)


def test_a_fallen_score_is_shown_and_changes_nothing(client, ana, mql):
    assert cooling.cooled(anew(mql)) is None
    publish(demo=1)  # 35 points less: far below the threshold of 60
    found = cooling.cooled(anew(mql))
    assert found and found.threshold == 60 and found.score < 55
    assert anew(mql).stage == "mql"
    client.force_login(ana)
    page = client.get(reverse("scoring:explanation", args=[mql.pk])).content.decode()
    assert "The lead stays with sales all the same." in page


def test_just_below_the_threshold_is_not_cooled(mql):
    score = anew(mql).standing.score
    draft = drafting.clone_to_draft(ModelVersion.objects.active().pk, by=SYSTEM)
    ModelVersion.objects.filter(pk=draft.pk).update(threshold=score + 3, hysteresis=5)
    put_in_force(draft)
    assert cooling.cooled(anew(mql)) is None


def test_who_is_not_with_sales_does_not_cool():
    lead = some_lead()
    rescore.enqueue([lead.pk])
    settle()
    assert cooling.cooled(anew(lead)) is None


def test_the_funnel_marks_the_break_and_reminds_of_the_review(client, mia, sam, mql):
    draft = publish(demo=34)
    ModelVersion.objects.filter(pk=draft.pk).update(review_due_on=localdate() + timedelta(days=3))
    client.force_login(mia)
    page = client.get(reverse("insights:funnel")).content.decode()
    assert "The scoring model changed within this period" in page and "version 2 on" in page
    assert "The review of scoring version 2 is due on" in page
    client.force_login(sam)
    assert "The review of scoring" not in client.get(reverse("insights:funnel")).content.decode()
