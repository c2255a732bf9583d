"""The arithmetic of rates and of time in stage."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights import rules
from tests.insights.oracle import kaplan_meier

DURATIONS = st.lists(st.integers(0, 24 * 400), max_size=40)


def test_a_share_of_nothing_is_no_rate():
    assert rules.rate(0, 0) is None
    assert rules.rate(1, 4) == 0.25


@given(st.integers(0, 24 * 2000), st.integers(0, 24 * 2000))
def test_codes_grow_with_time(hours, more):
    assert (rules.duration_code(hours) <= rules.duration_code(more)) == (
        hours <= more or rules.duration_code(hours) == rules.duration_code(more)
    )


@given(st.integers(0, 24 * 2000))
def test_a_code_stands_for_the_hour_or_from_three_days_on_for_the_day(hours):
    shortest = rules.code_hours(rules.duration_code(hours))
    assert shortest <= hours
    assert hours - shortest < (1 if hours < 72 else 24)


@given(st.integers(0, 24 * 500), st.sampled_from([14, 30, 60, 90, 180, 365]))
def test_a_window_of_days_cuts_codes_where_it_cuts_hours(hours, days):
    assert (rules.duration_code(hours) < rules.day_code(days)) == (hours < days * 24)


@pytest.mark.parametrize(("days_since", "hours"), [(0, 0), (1, 0), (2, 24), (4, 72), (31, 720)])
def test_an_open_stay_lasted_at_least_the_whole_days_since(days_since, hours):
    assert rules.code_hours(rules.age_code(days_since)) == hours


@pytest.mark.parametrize(
    ("exit_kind", "fate"),
    [("advanced", "converted"), ("", "undecided"), ("reopened", "undecided")]
    + [(kind, "dropped") for kind in ("recycled", "disqualified", "lost", "churned")],
)
def test_what_an_exit_makes_of_a_stay(exit_kind, fate):
    assert rules.fate(exit_kind) == fate


def test_without_stays_there_is_no_median():
    assert rules.quantile(rules.survival_curve({}, {}), 0.5) is None


def test_when_too_few_have_ended_there_is_no_median():
    assert rules.quantile(rules.survival_curve({5: 1}, {9: 3}), 0.5) is None


def test_open_stays_make_the_median_longer():
    ended = {10: 1, 20: 1, 30: 1}
    assert rules.quantile(rules.survival_curve(ended, {}), 0.5) == 20
    assert rules.quantile(rules.survival_curve(ended, {25: 2}), 0.5) == 30


@given(DURATIONS, DURATIONS, st.sampled_from([0.1, 0.5, 0.9]))
def test_quantiles_equal_a_naive_kaplan_meier(ended, still_open, share):
    curve = rules.survival_curve(Counter(ended), Counter(still_open))
    naive = kaplan_meier([(t, True) for t in ended] + [(t, False) for t in still_open], share)
    assert rules.quantile(curve, share) == naive


@given(DURATIONS, DURATIONS)
def test_a_survival_curve_falls_and_ends_within_0_and_1(ended, still_open):
    curve = rules.survival_curve(Counter(ended), Counter(still_open))
    shares = [share for _duration, share in curve]
    assert shares == sorted(shares, reverse=True)
    assert all(-1e-9 <= share <= 1 for share in shares)
    if ended and not still_open:
        assert shares[-1] == pytest.approx(0)


@given(DURATIONS)
def test_with_all_stays_ended_the_median_is_the_ordinary_one(ended):
    curve = rules.survival_curve(Counter(ended), {})
    expected = sorted(ended)[(len(ended) - 1) // 2] if ended else None
    assert rules.quantile(curve, 0.5) == expected
