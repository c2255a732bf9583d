"""Trainings as work rows; predictions in sweeps; drift; what a colleague knows better."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.timezone import now

from leads.actors import Actor
from leads.models import AuditEntry
from leads.refusals import Conflict, Refused
from scoring import tasks
from scoring.models import Prediction, PredictionOverride, Training
from scoring.prediction import asking, drifting, lessons, overriding, predicting, training
from scoring.prediction.learning import learn
from tests.factories import UserFactory
from tests.scoring.prediction_stories import SYSTEM, history, instant_of, known_lead, reach, tell
from tests.scoring.prediction_tables import history as table

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(db) -> Actor:
    return Actor.of(UserFactory(role="admin", team=None))


def trained(leads: int = 130, horizon: int = 30) -> Training:
    """A finished training on leads of whom those who look at prices reach SAL."""
    history(leads, lambda place: place % 2 == 0, horizon=horizon)
    job = asking.train_on_leads("sal", horizon, by=SYSTEM)
    assert training.drain(is_hinted=True) == 1
    job.refresh_from_db()
    assert job.error == ""
    return job


def test_a_training_on_own_leads_and_its_predictions():
    job = trained()
    assert (job.state, job.verdict, job.done) == ("finished", "on", 1.0)
    assert job.report["figures"]["auc"] > 0.9
    assert job.report["counts"]["labelled"] == 130
    assert [one["name"] for one in job.report["rivals"]] == ["rule_score"]
    assert job.report["leaks"][0]["field"].endswith("pricing_page_viewed")

    hot, cold, customer = known_lead(10), known_lead(10), known_lead(10)
    tell(hot, now() - timedelta(hours=5), "pricing_page_viewed")
    reach(customer, "sal", now())
    while predicting.sweep_some():
        pass
    chances = dict(Prediction.objects.values_list("lead", "probability"))
    assert chances[hot.pk] > 0.5 > chances[cold.pk]
    assert customer.pk not in chances
    (first, *_more) = Prediction.objects.get(lead=hot).reasons
    assert first["effect"] > 0
    # Not due again before an hour has passed.
    assert predicting.sweep_some() == 0


def test_a_sweep_forgets_who_has_no_outcome_ahead_any_more():
    job = trained()
    lead = known_lead(10)
    while predicting.sweep_some():
        pass
    assert Prediction.objects.filter(lead=lead).exists()
    reach(lead, "sal", now())
    Training.objects.update(swept_at=now() - predicting.EVERY * 2)
    while predicting.sweep_some():
        pass
    assert not Prediction.objects.filter(lead=lead).exists()
    job.refresh_from_db()
    assert job.sweep_began_at is None


def test_an_override_is_never_overwritten(admin):
    job = trained()
    lead = known_lead(10)
    overriding.override(lead.pk, 0.9, "Met the board", by=admin)
    Training.objects.filter(pk=job.pk).update(swept_at=None)
    while predicting.sweep_some():
        pass
    kept = PredictionOverride.objects.get(lead=lead)
    assert (kept.probability, kept.reason) == (0.9, "Met the board")
    assert Prediction.objects.get(lead=lead).probability != 0.9
    overriding.take_back(lead.pk, by=admin)
    with pytest.raises(Conflict):
        overriding.take_back(lead.pk, by=admin)
    verbs = AuditEntry.objects.filter(object_id=lead.pk).values_list("verb", flat=True)
    assert set(verbs) == {"overrode_prediction", "restored_prediction"}


@pytest.mark.parametrize(("chance", "reason"), [(1.2, "Sure"), (0.5, " "), (0.5, "x" * 301)])
def test_an_override_must_make_sense(chance, reason, admin):
    with pytest.raises(Refused):
        overriding.override(known_lead(10).pk, chance, reason, by=admin)


def test_too_few_leads_leave_it_off():
    history(30, lambda place: place % 3 == 0)
    asking.train_on_leads("sal", 30, by=SYSTEM)
    training.drain(is_hinted=True)
    job = Training.objects.governing()
    assert (job.verdict, job.error) == ("not_enough", "")
    assert job.report["counts"]["labelled"] == 30
    assert predicting.sweep_some() == 0
    assert not Prediction.objects.exists()


def test_no_leads_at_all_leave_it_off():
    asking.train_on_leads("customer", 90, by=SYSTEM)
    tasks.train()
    assert Training.objects.governing().verdict == "not_enough"


def test_only_admins_ask_and_one_at_a_time(admin):
    with pytest.raises(Refused):
        asking.train_on_leads("sal", 30, by=Actor.of(UserFactory()))
    with pytest.raises(Refused):
        asking.train_on_leads("lead", 30, by=admin)
    with pytest.raises(Refused):
        asking.train_on_leads("sal", 0, by=admin)
    asking.train_on_leads("sal", 30, by=admin)
    with pytest.raises(Conflict):
        asking.train_on_leads("sal", 30, by=admin)


def test_the_relay_leaves_new_work_to_a_worker(admin):
    job = asking.train_on_leads("sal", 30, by=admin)
    assert training.drain() == 0
    Training.objects.filter(pk=job.pk).update(requested_at=now() - timedelta(minutes=1))
    assert predicting.drain(1) == 1


def test_a_killed_training_is_taken_up_again(admin):
    job = asking.train_on_leads("sal", 30, by=admin)
    assert training._claim(is_hinted=True) == job  # and the process is killed
    assert training.drain(is_hinted=True) == 0
    Training.objects.filter(pk=job.pk).update(leased_until=now() - timedelta(seconds=1))
    assert training.drain(is_hinted=True) == 1
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("finished", 2)


def test_who_lost_the_lease_writes_nothing(admin):
    asking.train_on_leads("sal", 30, by=admin)
    late = training._claim(is_hinted=True)
    Training.objects.update(leased_until=now() - timedelta(seconds=1))
    training.drain(is_hinted=True)
    with pytest.raises(training.LeaseLost):
        training.note(late, 0.5, "fitting")
    with pytest.raises(training.LeaseLost):
        training.finish(late, verdict="on", report={}, model={})
    assert Training.objects.get().verdict == "not_enough"


def test_a_training_that_fails_five_times_stops_until_somebody_says_so(admin, monkeypatch):
    def fail(job, progress):
        raise RuntimeError("disk full")

    monkeypatch.setattr(lessons, "give", fail)
    job = asking.train_on_leads("sal", 30, by=admin)
    for _each in range(7):
        Training.objects.filter(leased_until__isnull=False).update(leased_until=now())
        training.drain(is_hinted=True)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.error) == ("stopped", 5, "RuntimeError: disk full")
    monkeypatch.undo()
    asking.try_again(job.pk, by=admin)
    training.drain(is_hinted=True)
    job.refresh_from_db()
    assert (job.state, job.error) == ("finished", "")
    with pytest.raises(Conflict):
        asking.try_again(job.pk, by=admin)


# --- drift ---------------------------------------------------------------------------------


def test_drift_is_seen_in_inputs_and_in_what_came():
    """The training is told to be old: all of its leads are news to it."""
    job = trained()
    Training.objects.filter(pk=job.pk).update(as_of=now() - timedelta(days=600))
    job.refresh_from_db()
    same = drifting.measure(job, now())
    assert same["rows"] == 130
    assert not same["is_drifting"]
    assert same["calibration"]["rows"] == 130
    assert max(one["index"] for one in same["inputs"]) < 0.25

    for _place in range(120):
        lead = known_lead(150, country="KR")
        tell(lead, instant_of(lead) - timedelta(hours=1), "pricing_page_viewed")
    moved = drifting.measure(job, now())
    assert moved["is_drifting"]
    assert moved["calibration"]["deviations"] < -3
    assert moved["inputs"][0]["index"] > 0.25


def test_drift_is_looked_at_once_a_day():
    job = trained()
    assert drifting.check_when_due(job.pk)
    assert not drifting.check_when_due(job.pk)
    job.refresh_from_db()
    assert job.drift == {"is_drifting": False, "inputs": [], "rows": 0, "calibration": None}


def test_a_model_of_a_table_does_not_govern():
    """Only trainings on the product's own leads decide what is shown."""
    found = learn(table(300))
    Training.objects.create(
        source="import", state="finished", verdict="on", finished_at=now(), report=found.report
    )
    assert Training.objects.governing() is None
    assert predicting.sweep_some() == 0
