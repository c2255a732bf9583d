"""Learning from a table: honest about what it knows, the same after a trip through JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score

from scoring.prediction import estimators, learning, metrics
from scoring.prediction.calibrating import LEAST, MOST, Calibration, calibrate
from scoring.prediction.encoding import Encoder, learn_field
from scoring.prediction.leaks import find_leaks
from scoring.prediction.predictor import Predictor
from scoring.prediction.tables import Table, split_by_time
from tests.scoring.prediction_tables import history

BOOSTED = {"trees": 30, "depth": 3, "rate": 0.1, "leaf": 20}


@pytest.fixture(scope="module")
def learned() -> learning.Learned:
    return learning.learn(history())


# --- the verdict ---------------------------------------------------------------------------


def test_what_can_be_told_is_told(learned):
    figures = learned.report["figures"]
    assert learned.verdict == learning.ON
    assert figures["auc"] > 0.8
    assert figures["auc_low"] < figures["auc"] < figures["auc_high"]
    assert figures["ece"] < 0.12
    assert figures["lift"] > 1.3
    assert sum(b["count"] for b in figures["reliability"]) == figures["count"] == 180


def test_noise_is_no_signal():
    assert learning.learn(history(strength=0)).verdict == learning.NO_SIGNAL


def test_too_few_labelled_rows_are_not_enough():
    found = learning.learn(history(99))
    assert found.verdict == learning.NOT_ENOUGH
    assert found.predictor is None
    assert found.report["counts"]["labelled"] == 99


def test_a_hundred_rows_of_one_outcome_are_not_enough():
    table = replace(history(300), labels=[0] * 295 + [1] * 5)
    assert learning.learn(table).verdict == learning.NOT_ENOUGH


def test_columns_that_never_repeat_leave_nothing_to_learn_from():
    table = history(300)
    table = replace(table, columns={"id": [f"row {i}" for i in range(300)]})
    found = learning.learn(table)
    assert found.verdict == learning.NO_SIGNAL
    assert found.report["dropped"] == ["id"]


def test_importance_ranks_what_matters_over_noise(learned):
    ranks = [one["field"] for one in learned.report["importance"]]
    assert ranks[0] == "visits"
    assert ranks.index("noise") > 1


def test_a_rival_is_judged_on_the_same_rows_and_not_learned_from():
    table = history()
    columns = {**table.columns, "points": [float(label) for label in table.labels]}
    found = learning.learn(replace(table, columns=columns), rivals=("points",))
    (rival,) = found.report["rivals"]
    assert rival["auc"] == 1.0
    assert "points" not in found.report["features"]
    assert found.report["figures"]["auc"] < 0.99


def test_progress_goes_forward():
    seen: list[float] = []
    learning.learn(history(300), progress=lambda done, step: seen.append(done))
    assert seen == sorted(seen)
    assert seen[0] == 0.0


# --- the split -----------------------------------------------------------------------------


def test_the_newest_rows_are_held_out_whatever_their_place():
    table = history(100)
    older, newest = split_by_time(table.take(list(reversed(range(100)))), 0.2)
    assert max(older.order) < min(newest.order)
    assert len(newest) == 20


def test_rows_of_one_instant_stay_together():
    table = replace(history(10), order=[0, 1, 2, 3, 4, 5, 6, 7, 7, 7])
    older, newest = split_by_time(table, 0.2)
    assert (len(older), len(newest)) == (10, 0)


def test_nobody_learns_from_outcomes_of_the_future():
    table = history(100)
    table = replace(table, known_at=[when + 10 for when in table.order])
    older, newest = split_by_time(table, 0.2)
    assert max(older.order) + 10 <= min(newest.order)


# --- models as JSON ------------------------------------------------------------------------


def test_boosted_trees_answer_as_scikit_learn_does():
    table = history(400)
    encoder = Encoder.learn(table)
    matrix, labels = encoder.matrix(table), np.array(table.labels)
    plain = encoder.plain_columns
    ours = estimators.fit_boosted(matrix, labels, plain, **BOOSTED)
    theirs = GradientBoostingClassifier(
        n_estimators=30,
        max_depth=3,
        learning_rate=0.1,
        min_samples_leaf=20,
        subsample=0.6,
        max_features=0.3,
        random_state=estimators.SEED,
    ).fit(matrix[:, plain], labels)
    expected = theirs.decision_function(matrix[:, plain])
    assert ours.log_odds(matrix) == pytest.approx(expected, abs=1e-9)


def test_a_linear_model_answers_as_scikit_learn_does():
    table = history(400)
    encoder = Encoder.learn(table)
    matrix, labels = encoder.matrix(table), np.array(table.labels)
    ours = estimators.fit_linear(matrix, labels, encoder.plain_columns, strength=0.3)
    theirs = LogisticRegression(C=0.3, max_iter=3000).fit(matrix, labels)
    assert ours.log_odds(matrix) == pytest.approx(theirs.decision_function(matrix), abs=1e-9)


@pytest.mark.parametrize(
    ("fit", "params"),
    [(estimators.fit_linear, {"strength": 0.3}), (estimators.fit_boosted, BOOSTED)],
)
def test_a_model_survives_json_and_its_parts_add_up(fit, params):
    table = history(400)
    encoder = Encoder.learn(table)
    matrix = encoder.matrix(table)
    model = fit(matrix, np.array(table.labels), encoder.plain_columns, **params)
    whole = Predictor(encoder, model, Calibration(0.9, 0.1))
    again = Predictor.from_json(json.loads(json.dumps(whole.as_json())))
    assert (again.probabilities(table) == whole.probabilities(table)).all()
    parts = model.parts(matrix, encoder.owners, len(encoder.fields)).sum(axis=1)
    moved = model.log_odds(matrix) - parts
    assert moved == pytest.approx(np.full(len(matrix), moved[0]), abs=1e-9)


def test_the_reasons_of_a_row_name_what_moved_it(learned):
    cells = {"visits": [12.0], "country": ["DE"], "phone": [""], "noise": ["a"]}
    table = Table(cells, labels=[0], order=[0.0])
    (reasons,) = learned.predictor.reasons(table)
    by_field = {one["field"]: one for one in reasons}
    assert by_field["visits"]["effect"] > 0
    assert by_field["visits"]["value"] == "12"
    assert by_field["phone"]["effect"] < 0
    assert by_field["phone"]["value"] == ""
    assert len(reasons) <= 5


# --- reading columns -----------------------------------------------------------------------


def test_not_known_is_a_value_of_its_own():
    field = learn_field("n", [1.0, 2.0, 3.0, 4.0, 5.0, None, ""])
    matrix = field.as_matrix([3.0, None, "what?"])
    assert matrix[:, 1].tolist() == [0, 1, 1]
    assert matrix[1:, 0].tolist() == [0, 0]
    category = learn_field("c", ["a"] * 10 + [""] * 10)
    assert category.as_matrix(["a", "b", ""]).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_a_value_never_seen_is_another_value():
    table = replace(history(300), columns={"c": ["a", "b"] * 150})
    encoder = Encoder.learn(table)
    asked = Table({"c": ["zebra"]}, labels=[0], order=[0.0])
    assert encoder.matrix(asked).tolist() == [[0, 0, 1, 0]]


def test_infinite_and_enormous_numbers_break_nothing():
    cells = [float(i) for i in range(50)]
    matrix = learn_field("n", cells).as_matrix([float("inf"), 1e300, "-1e308", "nan"])
    assert np.isfinite(matrix).all()


def test_beyond_what_was_seen_nothing_is_extrapolated():
    """A count that hardly anybody had must not carry a prediction to the skies."""
    field = learn_field("n", [0.0] * 990 + [1.0, 2.0, 3.0, 4.0, 5.0] * 2)
    rare = field.as_matrix([0.0, 5.0, 5_000.0])[:, 0]
    assert rare.tolist() == [0, 0, 0]
    usual = learn_field("n", [float(i) for i in range(100)]).as_matrix([99.0, 1e9])[:, 0]
    assert usual[1] == usual[0] < 2


def test_counts_per_group_are_of_all_rows():
    table = history(400)
    encoder = Encoder.learn(table)
    for counts in learning.distributions(encoder, encoder.matrix(table)).values():
        assert sum(counts) == 400


# --- leaks ---------------------------------------------------------------------------------


def test_a_field_that_tells_the_outcome_alone_leaks():
    table = history()
    told = [str(label) if i % 20 else "?" for i, label in enumerate(table.labels)]
    leaks = find_leaks(replace(table, columns={**table.columns, "status": told}))
    assert [(leak.field, leak.kind) for leak in leaks] == [("status", "alone")]


def test_a_field_filled_only_after_the_outcome_leaks():
    table = history(strength=0.5)
    filled, left = [], 120
    for label in table.labels:
        left -= label
        filled.append("Box 7" if label and left > 0 else "")
    leaks = find_leaks(replace(table, columns={"delivery": filled, **table.columns}))
    assert [(leak.field, leak.kind) for leak in leaks] == [("delivery", "afterwards")]


def test_honest_fields_and_rare_values_do_not_leak():
    table = history(strength=1.0)
    ids = [f"row {i // 2}" for i in range(len(table))]
    assert find_leaks(replace(table, columns={**table.columns, "id": ids})) == []


# --- figures -------------------------------------------------------------------------------


def test_figures_agree_with_scikit_learn():
    chance = np.random.default_rng(3)
    labels = chance.integers(0, 2, 500)
    scores = np.round(chance.random(500), 1)  # many ties
    assert metrics.auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))
    assert metrics.brier(labels, scores) == pytest.approx(brier_score_loss(labels, scores))


def test_lift_does_not_depend_on_the_order_of_ties():
    labels = np.array([1, 0] * 50)
    assert metrics.lift_at(labels, np.zeros(100)) == pytest.approx(1.0)
    assert metrics.lift_at(labels, labels.astype(float)) == pytest.approx(2.0)


def test_what_did_not_move_has_no_stability_index():
    same = np.array([10.0, 20.0, 0.0])
    assert metrics.stability_index(same, same * 3) == pytest.approx(0)
    assert metrics.stability_index(same, np.array([0.0, 1.0, 9.0])) > 0.25


def test_one_class_has_no_auc():
    assert np.isnan(metrics.auc(np.zeros(5), np.arange(5)))
    assert metrics.figures(np.zeros(5, dtype=int), np.full(5, 0.2))["auc"] is None


def test_probabilities_are_clamped_and_keep_their_order():
    chances = Calibration(5.0, 0.0).probabilities(np.array([-100.0, 0.0, 1e6]))
    assert chances.tolist() == [LEAST, 0.5, MOST]


def test_calibration_never_turns_the_order_around():
    log_odds = np.linspace(-2, 2, 100)
    labels = (log_odds < 0).astype(int)
    assert calibrate(log_odds, labels).slope > 0
