"""The pages of the predictive score as people use them."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils.timezone import now

from scoring.models import Prediction, PredictionOverride, Training
from scoring.prediction import training as trainings
from tests.scoring.prediction_stories import known_lead

pytestmark = pytest.mark.django_db
PAGE = "/scoring/prediction/"


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def switched_on() -> Training:
    return Training.objects.create(
        source="leads",
        outcome="sal",
        horizon_days=30,
        state="finished",
        verdict="on",
        finished_at=now(),
        swept_at=now(),
    )


def predicted(lead, training: Training, chance: float = 0.71) -> Prediction:
    reasons = [
        {"field": "count:pricing_page_viewed", "value": "3", "effect": 1.1},
        {"field": "lead:country", "value": "", "effect": -0.2},
    ]
    return Prediction.objects.create(
        lead=lead, training=training, probability=chance, reasons=reasons, predicted_at=now()
    )


# --- on and off ----------------------------------------------------------------------------


def test_before_any_training_the_page_says_what_to_do(client, ana, mia):
    client.force_login(ana)
    assert "It needs at least 100 leads whose outcome is known" in text_of(client.get(PAGE))
    client.force_login(mia)
    page = text_of(client.get(PAGE))
    assert "An admin trains it" in page
    assert "Train now" not in page


def test_an_admin_trains_and_reads_why_it_is_off(client, ana):
    client.force_login(ana)
    said = {"outcome": "customer", "horizon_days": 90}
    response = client.post(reverse("scoring:prediction_training"), said)
    assert (response.status_code, response.url) == (303, PAGE)
    waiting = text_of(client.get(PAGE))
    assert "Waiting for a free worker" in waiting
    assert 'hx-trigger="every 2s"' in waiting
    again = client.post(reverse("scoring:prediction_training"), said)
    assert again.status_code == 409
    assert "A training is under way" in text_of(again)
    trainings.drain(is_hinted=True)
    page = text_of(client.get(PAGE))
    assert "The prediction is off" in page
    assert "Not enough data: 0 rows have a known outcome, at least 100 are needed" in page


def test_a_horizon_out_of_range_is_refused_at_its_field(client, ana):
    client.force_login(ana)
    url = reverse("scoring:prediction_training")
    response = client.post(url, {"outcome": "customer", "horizon_days": 9999})
    assert response.status_code == 422
    assert "less than or equal to 730" in text_of(response)
    assert not Training.objects.exists()


def test_a_stopped_training_says_why_and_begins_anew(client, ana):
    client.force_login(ana)
    job = Training.objects.create(
        source="leads", outcome="sal", state="stopped", attempts=5, error="OSError: disk full"
    )
    assert "OSError: disk full" in text_of(client.get(PAGE))
    url = reverse("scoring:training_next_attempt", args=[job.pk])
    assert client.post(url).status_code == 303
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("waiting", 0)
    assert client.post(url).status_code == 409


def test_drift_is_said(client, ana):
    job = switched_on()
    Training.objects.filter(pk=job.pk).update(
        drift={
            "is_drifting": True,
            "inputs": [{"field": "lead:country", "index": 0.6}],
            "rows": 120,
            "calibration": {"rows": 120, "said": 0.4, "came": 0.1, "deviations": -6.0},
        }
    )
    client.force_login(ana)
    page = text_of(client.get(PAGE))
    assert "The world has moved since it was trained" in page
    assert "Of 120 leads since then 40 % were predicted to reach it, 10 % did." in page
    assert "Country" in page


# --- on the page of a lead -----------------------------------------------------------------


def panel_of(client, lead) -> str:
    return text_of(client.get(reverse("scoring:explanation", args=[lead.pk])))


def test_a_lead_shows_its_prediction_with_reasons_and_date(client, ana):
    lead = known_lead(5)
    predicted(lead, switched_on())
    client.force_login(ana)
    page = panel_of(client, lead)
    assert "<strong>71 %</strong> likely to reach SAL within 30 days." in page
    assert "Pricing page viewed, so often: 3" in page
    assert "Country: not known" in page
    assert "Predicted " in page


def test_nothing_is_shown_while_it_is_off(client, ana):
    lead = known_lead(5)
    job = switched_on()
    predicted(lead, job)
    Training.objects.create(
        source="leads", outcome="sal", state="finished", verdict="no_signal", finished_at=now()
    )
    client.force_login(ana)
    assert "likely to reach" not in panel_of(client, lead)


def test_an_estimate_of_a_colleague_stands_above_the_model(client, ana):
    lead = known_lead(5)
    predicted(lead, switched_on())
    client.force_login(ana)
    url = reverse("scoring:prediction_override", args=[lead.pk])
    assert client.post(url, {"percent": "95", "reason": "Met the board"}).status_code == 303
    page = panel_of(client, lead)
    assert "<strong>95 %</strong>" in page
    assert "Met the board" in page
    assert "The model says 71 %." in page
    client.post(url, {"percent": "195", "reason": "Sure"})
    assert PredictionOverride.objects.get().probability == 0.95
    client.post(reverse("scoring:prediction_override_end", args=[lead.pk]))
    assert "<strong>71 %</strong>" in panel_of(client, lead)


def test_only_who_sees_a_lead_overrides_it(client, sue):
    lead = known_lead(5)
    client.force_login(sue)
    url = reverse("scoring:prediction_override", args=[lead.pk])
    assert client.post(url, {"percent": "95", "reason": "Mine"}).status_code == 404
    assert not PredictionOverride.objects.exists()
