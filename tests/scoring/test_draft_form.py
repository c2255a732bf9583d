"""The admin's form of a draft: what it refuses at which field, and what it costs to show."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from scoring.models import ModelVersion, Rule
from tests.scoring.test_pages import clone, rule_form

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(client, ana) -> ModelVersion:
    client.force_login(ana)
    return clone(client)


def address(draft: ModelVersion) -> str:
    return reverse("admin:scoring_modelversion_change", args=[draft.pk])


def shown(client, draft: ModelVersion) -> tuple[int, str]:
    """How many queries the form takes, and what it says."""
    with CaptureQueriesContext(connection) as queries:
        page = client.get(address(draft)).content.decode()
    return len(queries), page


def test_a_draft_with_many_rules_costs_no_more_than_one_with_few(client, draft):
    client.get(address(draft))
    many, page = shown(client, draft)
    assert page.count(" selected>") >= draft.rules.count()
    assert draft.rules.count() > 20
    Rule.objects.filter(version=draft).exclude(pk__in=draft.rules.all()[:3].values("pk")).delete()
    few, _page = shown(client, draft)
    assert many == few <= 15


def typed(client, draft: ModelVersion, **changes: str) -> dict:
    """The form as a browser sends it."""
    seen = client.get(address(draft)).context["adminform"].form.initial["shown"]
    return rule_form(draft, shown=seen, **changes)


def errors_of(client, draft: ModelVersion, **changes: str) -> dict[str, str]:
    """What the form answers to these numbers, by field."""
    answer = client.post(address(draft), typed(client, draft, **changes))
    assert answer.status_code == 200
    errors = answer.context["adminform"].form.errors
    return {name: " ".join(said) for name, said in errors.items()}


@pytest.mark.parametrize(
    ("changes", "points"),
    [
        ({"threshold": "0", "hysteresis": "0"}, "0"),
        ({"threshold": "-5"}, "0"),
        (
            {"threshold": "10", "interest_floor": "10", "interest_cut": "15", "hysteresis": "0"},
            "10",
        ),
    ],
)
def test_a_threshold_that_every_lead_meets_is_refused_at_the_field(client, draft, changes, points):
    errors = errors_of(client, draft, **changes)
    assert errors == {
        "threshold": "Every lead meets this threshold: one of whom nothing is known has "
        f"{points} already."
    }
    draft.refresh_from_db()
    assert draft.threshold == 60


def test_a_threshold_just_above_that_is_taken(client, draft):
    answer = client.post(address(draft), typed(client, draft, threshold="1"))
    assert answer.status_code == 302


@pytest.mark.parametrize("axis", ["fit", "interest"])
def test_a_range_upside_down_is_told_at_its_own_fields_alone(client, draft, axis):
    errors = errors_of(client, draft, **{f"{axis}_floor": "50", f"{axis}_ceiling": "-50"})
    assert errors == {f"{axis}_ceiling": "The most must be greater than the least."}
