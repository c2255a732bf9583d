"""The figures of a ranking, held against scikit-learn and against their definitions."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from scoring import ranking

rows = st.lists(st.tuples(st.integers(-20, 20), st.booleans()), min_size=2, max_size=60).filter(
    lambda some: 0 < sum(won for _score, won in some) < len(some)
)


@given(rows)
def test_auc_is_that_of_scikit_learn_and_of_the_definition(some):
    scores, won = zip(*some, strict=True)
    value = ranking.auc(scores, won)
    assert value == pytest.approx(roc_auc_score(won, scores))
    pairs = list(product([s for s, w in some if w], [s for s, w in some if not w]))
    assert value == pytest.approx(sum((a > b) + (a == b) / 2 for a, b in pairs) / len(pairs))
    interval = ranking.auc_interval(scores, won)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1


def test_auc_needs_both_kinds():
    assert ranking.auc([1, 2], [True, True]) is None
    assert ranking.auc_interval([], []) is None
    assert ranking.auc_difference([1], [2], [False]) is None


def test_the_interval_is_that_of_delong():
    scores, won = [9, 7, 3, 5, 4, 2], [True, True, True, False, False, False]
    interval = ranking.auc_interval(scores, won)
    assert interval.value == pytest.approx(7 / 9)
    # Placements of won rows: 1, 1, 1/3; of the others: 2/3, 2/3, 1.
    variance = (4 / 27) / 3 + (1 / 27) / 3
    assert interval.high == 1
    assert interval.low == pytest.approx(7 / 9 - ranking.Z * variance**0.5)


@given(rows)
def test_a_ranking_is_no_better_than_itself(some):
    scores, won = zip(*some, strict=True)
    same = ranking.auc_difference(scores, [score * 3 + 1 for score in scores], won)
    assert (same.value, same.low, same.high) == pytest.approx((0, 0, 0))
    turned = ranking.auc_difference(scores, [-score for score in scores], won)
    assert turned.value == pytest.approx(2 * ranking.auc(scores, won) - 1)


@given(rows)
def test_deciles_hold_every_row_once_and_on_average_lift_nothing(some):
    scores, won = zip(*some, strict=True)
    slices = ranking.deciles(scores, won)
    assert sum(part.rows for part in slices) == len(some)
    assert sum(part.won for part in slices) == pytest.approx(sum(won))
    assert max(part.rows for part in slices) - min(part.rows for part in slices) <= 1
    lifted = sum(part.lift * part.rows for part in slices)
    assert lifted == pytest.approx(len(some))


@given(rows, st.randoms())
def test_the_order_of_rows_says_nothing(some, chance):
    shuffled = list(some)
    chance.shuffle(shuffled)
    for figures in (ranking.deciles, lambda s, w: ranking.best_of_each(s, w, [1] * len(s), 9)):
        one = figures(*zip(*some, strict=True))
        other = figures(*zip(*shuffled, strict=True))
        assert [tuple(vars(x).values()) if hasattr(x, "lift") else x for x in one] == [
            pytest.approx(tuple(vars(x).values()) if hasattr(x, "lift") else x) for x in other
        ]


def test_the_best_of_each_month():
    scores = [9, 8, 7, 6, 5]
    won = [True, False, True, True, False]
    months = ["a", "a", "a", "b", "b"]
    assert ranking.best_of_each(scores, won, months, 4) == [(2, 2), (4, 2), (5, 3), (5, 3)]


@given(st.integers(0, 50), st.integers(1, 50), st.integers(0, 50), st.integers(1, 50))
def test_intervals_of_shares_hold_their_estimates(part, more, other_part, other_more):
    apart = ranking.share_difference(part, part + more, other_part, other_part + other_more)
    assert -1 - 1e-9 <= apart.low <= apart.value <= apart.high <= 1 + 1e-9


def test_newcombes_own_example():
    """Newcombe (1998), method 10, example (a): 56/70 against 48/80."""
    apart = ranking.share_difference(56, 70, 48, 80)
    assert (apart.low, apart.high) == pytest.approx((0.0524, 0.3339), abs=1e-4)


def test_drift_of_a_histogram():
    assert ranking.stability_index([10, 20, 30], [10, 20, 30]) == 0
    assert ranking.stability_index([100, 0], [0, 100]) > 5
    assert ranking.stability_index([0, 0], [1, 2]) is None
