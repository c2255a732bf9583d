"""One order of day, month and year per file; values that cannot be read are not guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leads.imports import dates, values

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("column", "orders"),
    [
        (["25-10-16", "01-03-17"], {"dmy", "ymd"}),
        (["25-10-2016", "01-03-2017"], {"dmy"}),
        (["10/25/2016", "1/3/2017"], {"mdy"}),
        (["01/02/2017", "03/04/2017"], {"dmy", "mdy"}),
        (["99-12-31", "17-01-02"], {"ymd"}),
        (["2017-01-02", "2017-03-04T05:06:07Z"], {"dmy", "mdy", "ymd"}),
        (["25/10/2016", "10/25/2016"], set()),
        (["25/10/2016", "31/02/2017"], {"dmy"}),
    ],
)
def test_the_order_follows_from_the_whole_column(column, orders):
    assert dates.orders_of_column(column) == orders


def test_a_column_without_dates_has_no_order():
    assert dates.orders_of_column(["GTX Pro", "1054", "", "1-2-3", "10.5.4.3"]) is None


@pytest.mark.parametrize(
    ("text", "order", "at"),
    [
        ("20-10-16", "dmy", datetime(2016, 10, 20, tzinfo=BERLIN)),
        ("20-10-16", "ymd", datetime(2020, 10, 16, tzinfo=BERLIN)),
        ("3/4/69", "mdy", datetime(1969, 3, 4, tzinfo=BERLIN)),
        ("3.4.68", "dmy", datetime(2068, 4, 3, tzinfo=BERLIN)),
        ("2018-02-12 18:46:06", "dmy", datetime(2018, 2, 12, 17, 46, 6, tzinfo=UTC)),
        ("2018-07-12T18:46:06.123Z", "mdy", datetime(2018, 7, 12, 18, 46, 6, tzinfo=UTC)),
        ("2018-07-12T18:46+0900", "mdy", datetime(2018, 7, 12, 9, 46, tzinfo=UTC)),
        ("3/4/2018 12:05 AM", "mdy", datetime(2018, 3, 4, 0, 5, tzinfo=BERLIN)),
        ("3/4/2018, 3:45 pm", "mdy", datetime(2018, 3, 4, 15, 45, tzinfo=BERLIN)),
        ("20180212", "mdy", datetime(2018, 2, 12, tzinfo=BERLIN)),
        ("12 Feb 2018", "mdy", datetime(2018, 2, 12, tzinfo=BERLIN)),
        ("February 12, 2018", "dmy", datetime(2018, 2, 12, tzinfo=BERLIN)),
        ("2018년 2월 12일", "dmy", datetime(2018, 2, 12, tzinfo=BERLIN)),
        ("2018. 2. 12.", "dmy", datetime(2018, 2, 12, tzinfo=BERLIN)),
    ],
)
def test_a_date_is_read_in_the_order_of_its_file(text, order, at):
    assert dates.parse(text, order, BERLIN).at == at


@pytest.mark.parametrize(
    "text",
    ["31-02-2018", "12/31/2018", "0000-00-00", "2018-02-12 25:00", "1/1/3", "1/1/18x", "x", ""],
)
def test_what_is_no_date_in_this_order_is_none(text):
    assert dates.parse(text, "dmy", BERLIN) is None


@given(st.dates(date(1970, 1, 1), date(2068, 12, 31)), st.sampled_from("-/."), st.booleans())
def test_every_written_date_reads_back_and_its_order_is_among_those_that_fit(day, mark, is_short):
    year = "%y" if is_short else "%Y"
    for order, pattern in (("dmy", ["%d", "%m", year]), ("mdy", ["%m", "%d", year])):
        text = day.strftime(mark.join(pattern))
        assert dates.parse(text, order, BERLIN).day == day
        assert order in dates.orders_that_fit(text)


@pytest.mark.parametrize(
    ("text", "mark", "number"),
    [
        ("1,054.50", ".", "1054.50"),
        ("1.054,50", ",", "1054.50"),
        ("$ 1,054", ".", "1054"),
        ("EUR 1 054", ",", "1054"),
        ("-3", ".", "-3"),
        ("55%", ".", "55"),
        ("1,054", ",", "1.054"),
        ("1.054,50", ".", None),
        ("GTX Pro", ".", None),
        ("1e9", ".", None),
        ("9" * 30, ".", None),
    ],
)
def test_numbers_follow_the_decimal_mark_of_their_file(text, mark, number):
    assert values.read_number(text, mark) == (Decimal(number) if number else None)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Germany", "DE"),
        ("us", "US"),
        ("USA", "US"),
        ("KOR", "KR"),
        ("한국", "KR"),
        ("Philipines", None),
    ],
)
def test_countries_are_read_by_name_and_code(text, code):
    assert values.read_country(text) == code


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("organic_search", "organic_search"),
        ("Paid Search", "paid_search"),
        ("direct_traffic", "direct"),
        ("social", "organic_social"),
        ("unknown", "unknown"),
        ("other_publicities", "other"),
        ("Olark Chat", None),
    ],
)
def test_channels_are_read_by_our_names_and_by_those_of_others(text, channel):
    assert values.read_channel(text) == channel
