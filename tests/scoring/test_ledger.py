"""A score explains itself, now and at any past date; and false books are found."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils.timezone import now

from leads import criteria
from leads.models import Lead
from scoring import rescore
from scoring.ledger import LineKind, explain, score_over_time
from scoring.models import FieldMatch, LeadFeature, ModelVersion
from scoring.verifying import verify
from tests.scoring.stories import good_fit_lead, settle, some_lead, standing_of, tell_events

pytestmark = pytest.mark.django_db


def scored(lead: Lead, *stories: str, **fields) -> Lead:
    tell_events(lead, *stories, **fields)
    rescore.enqueue([lead.pk])
    settle()
    return lead


def kinds(explanation) -> list[str]:
    return [line.kind for line in explanation.lines if line.rule is None]


def test_the_lines_are_the_standing_to_the_cent():
    lead = scored(some_lead(), "pricing_page_viewed 5d ago", "email_opened 9d ago")
    explanation, standing = explain(lead), standing_of(lead)
    assert explanation.as_of == standing.scored_at
    assert sum(line.value for line in explanation.lines) == standing.score == explanation.score


def test_caps_and_ceilings_have_lines_of_their_own():
    lead = scored(
        some_lead(),
        *[f"file_downloaded 0d ago /guide/{n}" for n in range(6)],
        *["demo_requested 0d ago", "trial_started 0d ago", "pricing_page_viewed 0d ago"],
        "pricing_page_viewed 0d ago",
        "meeting_held 0d ago",
    )
    explanation = explain(lead)
    assert explanation.interest == 100
    assert kinds(explanation) == [LineKind.GROUP_CAP, LineKind.CEILING]
    assert sum(line.value for line in explanation.lines) == explanation.score


def test_the_floor_has_a_line():
    spam = [f"email_marked_as_spam {days}d ago" for days in (0, 40, 80)]
    explanation = explain(scored(some_lead(), *spam))
    assert explanation.interest == -50
    assert kinds(explanation) == [LineKind.FLOOR]


def test_no_events_no_lines():
    lead = scored(some_lead(email="kim@gmail.com"))
    assert [line.rule.signal.key for line in explain(lead).lines] == ["free_email"]


def test_the_score_of_a_past_date_knows_only_what_was_then():
    lead = scored(some_lead(title="CEO"), "demo_requested 30d ago", "demo_requested 90d ago")
    month_ago, long_ago = now() - timedelta(days=31), now() - timedelta(days=99)
    assert explain(lead, month_ago).interest == Decimal("17.70")  # 35 × 2^(-59/60)
    assert explain(lead, long_ago).interest == 0
    assert explain(lead, long_ago).fit == 25


def test_a_field_that_changes_leaves_its_past_in_place():
    lead = scored(some_lead(title="CEO"))
    before = now()
    lead.title = "Gardener"
    lead.save(update_fields=["title"])
    rescore.enqueue([lead.pk])
    settle()
    assert (explain(lead).fit, explain(lead, before).fit) == (5, 25)
    assert FieldMatch.objects.filter(lead=lead, until=None).count() == 1


def test_score_over_time_has_a_point_a_day():
    lead = scored(some_lead(), "demo_requested 10d ago")
    history = score_over_time(lead, days=20)
    assert len(history) == 21
    assert [point.interest > 0 for point in history].count(True) in (10, 11)
    ModelVersion.objects.filter(state="active").update(state="retired")
    assert score_over_time(lead) == [] and explain(lead, now()) is None


def test_machines_and_clocks_that_run_ahead_earn_nothing():
    lead = scored(some_lead(), "demo_requested 0d ago", verdict=2)
    assert standing_of(lead).interest == 0
    scored(lead, "demo_requested -9d ago")  # counts from when it was received
    assert standing_of(lead).interest == 35


def verdicts(lead: Lead) -> dict[str, tuple]:
    return {r.kind: (r.is_met, r.sentence) for r in criteria.evaluate(lead, "qualified")}


def test_the_lead_page_says_what_is_missing():
    lead = some_lead()
    assert verdicts(lead)["score_reaches_threshold"] == (None, "Not scored yet.")
    scored(lead, "pricing_page_viewed 0d ago")
    found = verdicts(lead)
    assert found["score_reaches_threshold"] == (False, "Score 13.00 of 60.00 needed.")
    assert found["fit_and_interest"] == (
        False,
        "Fit 5.00 of 20.00 needed. Interest 8.00 of 25.00 needed.",
    )
    assert found["nothing_blocks"] == (True, "Nothing blocks this lead.")


def test_the_lead_page_says_what_blocks():
    lead = scored(some_lead(title="Student"))
    assert verdicts(lead)["nothing_blocks"] == (False, "This blocks: Is a student or trainee.")


def test_all_criteria_met():
    lead = scored(good_fit_lead(), "demo_requested 0d ago")
    found = verdicts(lead)
    assert found["score_reaches_threshold"] == (True, "Score 85.00 of 60.00 reached.")
    assert found["fit_and_interest"][0] and found["nothing_blocks"][0]


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize(
    ("forgery", "checks"),
    [
        ("UPDATE leads_standing SET score = 9900", {"standing ≠ features", "standing ≠ ledger"}),
        ("UPDATE leads_standing SET is_promising = true", {"standing ≠ features"}),
        (
            "UPDATE scoring_leadfeature SET sums[15] = 7",
            {"features ≠ events", "standing ≠ features"},
        ),
        ("DELETE FROM scoring_leadfeature", {"never folded"}),
        (
            "SET LOCAL funnel.erasing = 'on'; UPDATE tracking_event SET kind = 'form_submitted'",
            {"features ≠ events", "standing ≠ ledger"},
        ),
        ("UPDATE leads_lead SET title = 'CEO'", {"matches ≠ fields"}),
    ],
)
def test_forged_books_are_found(forgery, checks):
    scored(some_lead(), "pricing_page_viewed 2d ago")
    assert verify(None) == []
    run(forgery)
    assert {discrepancy.check for discrepancy in verify(None)} == checks


def test_work_that_waits_is_no_false_entry():
    lead = scored(some_lead(), "pricing_page_viewed 2d ago")
    tell_events(lead, "demo_requested 0d ago")
    rescore.enqueue([lead.pk])
    assert verify() == []


def test_nothing_to_verify():
    assert verify() == [] and not LeadFeature.objects.exists()
