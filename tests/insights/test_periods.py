"""Half-open periods of local days, and how they fall into months."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.periods import (
    EVER,
    FOREVER,
    MONTHS,
    WEEKS,
    Grain,
    Period,
    custom_period,
    local_day,
    matured_before,
    next_month,
    next_week,
    preset_period,
    split,
    week_of,
)
from tests.insights.histories import at

TODAY = date(2026, 11, 22)
DAYS = st.dates(date(2025, 1, 1), date(2027, 3, 1))


@pytest.mark.parametrize(
    ("preset", "first"),
    [
        ("30d", date(2026, 10, 24)),
        ("90d", date(2026, 8, 25)),
        ("quarter", date(2026, 10, 1)),
        ("12m", date(2025, 12, 1)),
        ("all", EVER),
    ],
)
def test_presets_end_with_today_and_run_on(preset, first):
    assert preset_period(preset, TODAY) == Period(first, FOREVER, preset)
    assert preset_period(preset, TODAY).last_on(TODAY) == TODAY


def test_presets_survive_the_29th_of_february():
    assert preset_period("12m", date(2028, 2, 29)).from_on == date(2027, 3, 1)


def test_both_days_of_a_custom_period_are_included():
    period = custom_period(date(2026, 3, 1), date(2026, 3, 31), TODAY)
    assert period == Period(date(2026, 3, 1), date(2026, 4, 1))
    assert period.last_on(TODAY) == date(2026, 3, 31)


def test_an_instant_belongs_to_the_day_of_the_reporting_time_zone():
    late_in_utc = at("2026-03-02 00:30")  # 23:30 UTC of the day before
    assert local_day(late_in_utc, "Europe/Berlin") == date(2026, 3, 2)
    assert local_day(late_in_utc, "UTC") == date(2026, 3, 1)


@pytest.mark.parametrize(
    ("now", "young"),
    [
        ("2026-09-22 00:00", date(2026, 8, 23)),
        ("2026-09-21 23:59", date(2026, 8, 22)),
        # Summer time ended on 25 October: 30 × 24 hours before 23:00 is midnight.
        ("2026-11-21 23:00", date(2026, 10, 23)),
        ("2026-11-21 22:59", date(2026, 10, 22)),
        # Summer time began on 29 March: 30 × 24 hours before 00:30 is 23:30 two days earlier.
        ("2026-04-10 00:30", date(2026, 3, 10)),
    ],
)
def test_a_day_is_mature_when_it_has_ended_long_enough_ago(now, young):
    assert matured_before(at(now), 30, "Europe/Berlin") == young


@given(DAYS, DAYS, DAYS, st.sampled_from([MONTHS, WEEKS]))
def test_whole_spans_and_left_over_days_cover_a_period_exactly_once(first, last, cut, grain: Grain):
    period = Period(min(first, last), max(first, last) + timedelta(days=1))
    whole, days = split(period, cut, grain)
    covered = sorted(day for span in whole + days for day in _each_day(span))
    assert covered == list(_each_day((period.from_on, period.until_on)))
    for start, end in whole:
        assert grain.start_of(start) == start and grain.start_of(end) == end
        assert not start < cut < end or grain.start_of(cut) == cut


@given(DAYS)
def test_a_week_of_a_month_stays_in_its_month(day):
    assert week_of(day) <= day < next_week(day) <= next_month(day)
    assert week_of(day).day in (1, 8, 15, 22) and week_of(next_week(day)) == next_week(day)


def test_an_open_period_counts_its_last_month_as_a_whole():
    months, days = split(Period(date(2026, 10, 5), FOREVER), date(2026, 9, 1), MONTHS)
    assert months == [(date(2026, 11, 1), FOREVER)]
    assert days == [(date(2026, 10, 5), date(2026, 11, 1))]


def test_all_time_is_one_span_but_for_the_month_of_the_cut():
    months, days = split(Period(EVER, FOREVER), date(2026, 8, 24), MONTHS)
    assert months == [(EVER, date(2026, 8, 1)), (date(2026, 9, 1), FOREVER)]
    assert days == [(date(2026, 8, 1), date(2026, 9, 1))]


def _each_day(span: tuple[date, date]):
    day, end = span
    while day < end:
        yield day
        day += timedelta(days=1)
