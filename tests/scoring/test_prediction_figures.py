"""The predictive score on real histories, where a machine has them (see bench/prediction.py)."""

from __future__ import annotations

import pytest

from bench.prediction import LEAKS, education, naive_bayes, opportunities, tuned_boosting
from scoring.prediction.leaks import find_leaks
from scoring.prediction.learning import HOLD_OUT, NO_SIGNAL, ON, learn
from scoring.prediction.tables import split_by_time
from tests.shared_data import real_file


@pytest.fixture(scope="module")
def whole():
    return education(real_file("xedu_oldest60.csv"))


@pytest.fixture(scope="module")
def learned(whole):
    return learn(whole.without(LEAKS))


def test_as_good_as_tuned_boosting_and_better_than_naive_bayes(whole, learned):
    area = learned.report["figures"]["auc"]
    assert learned.verdict == ON
    assert area >= tuned_boosting(whole.without(LEAKS), tries=4) - 0.01
    assert area >= naive_bayes(whole.without(LEAKS)) + 0.01


def test_probabilities_mean_what_they_say(learned):
    assert learned.report["figures"]["ece"] <= 0.05


def test_fields_filled_after_the_outcome_are_named(whole, learned):
    older, _newest = split_by_time(whole, HOLD_OUT)
    named = {leak.field for leak in find_leaks(older)}
    assert named
    assert named <= set(LEAKS)
    assert learned.report["leaks"] == []


def test_opportunities_without_signal_stay_off():
    assert learn(opportunities(real_file("sales_pipeline.csv"))).verdict == NO_SIGNAL
