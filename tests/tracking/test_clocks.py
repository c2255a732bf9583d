from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.clocks import EARLIEST, read_instant, settle

NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)


def test_what_browsers_say_goes_back_no_further_than_their_cookie():
    for days, is_believed in ((390, True), (400, False), (4000, False)):
        said = NOON - timedelta(days=days)
        public = settle(said.isoformat(), None, NOON, is_trusted=False)
        assert public.occurred_at == (said if is_believed else NOON)
        assert settle(said.isoformat(), None, NOON).occurred_at == said


def test_a_right_clock_is_believed():
    assert settle("2026-05-05T11:00:00Z", "2026-05-05T12:00:00Z", NOON) == (
        NOON - timedelta(hours=1),
        NOON,
    )
    assert settle("2026-05-05T13:00:00+02:00", None, NOON) == (NOON - timedelta(hours=1), None)


def test_what_travels_longer_did_not_happen_later():
    slow = settle("2026-05-05T11:59:52.000Z", "2026-05-05T11:59:53Z", NOON)
    quick = settle("2026-05-05T11:59:52.001Z", "2026-05-05T11:59:59Z", NOON)
    assert slow.occurred_at < quick.occurred_at < NOON


def test_a_wrong_clock_is_set_right_by_when_it_sent():
    ten_years_slow = settle("2016-05-05T11:59:00Z", "2016-05-05T12:00:00Z", NOON)
    ten_years_fast = settle("2036-05-05T11:59:00Z", "2036-05-05T12:00:00Z", NOON)
    never_set = settle("1970-01-01T00:00:10Z", "1970-01-01T00:01:10Z", NOON)
    a_minute_ago = NOON - timedelta(minutes=1)
    assert (
        ten_years_slow.occurred_at
        == ten_years_fast.occurred_at
        == never_set.occurred_at
        == a_minute_ago
    )


def test_nothing_happens_in_the_future_or_before_tracking_began():
    assert settle("2036-01-01T00:00:00Z", None, NOON).occurred_at == NOON
    assert settle("2026-05-05T12:30:00Z", "2026-05-05T12:00:00Z", NOON).occurred_at == NOON
    assert settle("1970-01-01", None, NOON).occurred_at == NOON
    assert settle("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", NOON).occurred_at == NOON


@pytest.mark.parametrize(
    "value",
    [
        None, True, {}, [], "", "yesterday", "2026-13-01", "0000-00-00",
        "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", 1e308, float("nan"), float("inf"),
        -(10**400), 10**19, "9" * 60,
        "\x00", "２０２６-05-05",
    ],
)  # fmt: skip
def test_garbage_is_when_it_was_received(value):
    assert settle(value, value, NOON).occurred_at == NOON


@pytest.mark.parametrize(
    "value",
    [1777982400, 1777982400.0, 1777982400000, "1777982400", "1777982400000", "2026-05-05T12:00:00",
     "2026-05-05T12:00:00.000Z", "2026-05-05 12:00:00+00", " 20260505T120000Z "],
)  # fmt: skip
def test_the_usual_spellings_of_an_instant_are_read(value):
    assert read_instant(value) == NOON


@given(
    st.none() | st.text() | st.integers() | st.floats() | st.datetimes().map(datetime.isoformat),
    st.none() | st.text() | st.integers() | st.floats() | st.datetimes().map(datetime.isoformat),
)
def test_whatever_is_said_it_happened_between_the_beginning_and_now(timestamp, sent_at):
    assert EARLIEST <= settle(timestamp, sent_at, NOON).occurred_at <= NOON
