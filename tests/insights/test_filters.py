"""Filters live in the address; nonsense is told, not an error."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.filters import DEFAULT_WINDOW, DIMENSIONS, NOT_SET, read_filters
from insights.queries import segment_options
from tests.insights.histories import fold, tell

TODAY = date(2026, 11, 22)
NAMES = ("period", "from", "to", "window", "horizon", *DIMENSIONS)


def read(**params: str):
    return read_filters({name.rstrip("_"): value for name, value in params.items()}, TODAY)


def test_without_parameters_the_last_12_months_of_everything_are_shown():
    filters = read()
    assert (filters.period.preset, filters.window, filters.segment) == ("12m", DEFAULT_WINDOW, {})
    assert filters.problems == () and filters.query() == ""


def test_a_view_can_be_bookmarked():
    params = {
        "period": "custom",
        "from": "2026-03-01",
        "to": "2026-03-31",
        "window": "30",
        "horizon": "365",
        "channel": "email",
        "source": "Trade fair & more",
        "country": "DE",
        "owner": NOT_SET,
    }
    filters = read_filters(params, TODAY)
    assert filters.problems == ()
    assert dict(parse_qsl(filters.query())) == params
    assert filters.segment["owner"] == ""


def test_days_alone_are_a_custom_period():
    assert read(from_="2026-03-01", to="2026-03-05").period.until_on == date(2026, 3, 6)


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"period": "yesteryear"}, "“yesteryear” is not a period"),
        ({"period": "custom"}, "needs a first day"),
        ({"from": "31.3.2026"}, "“31.3.2026” is not a day"),
        ({"from": "2026-04-01", "to": "2026-03-01"}, "ends before it begins"),
        ({"window": "7"}, "A window of “7” days is not offered"),
        ({"horizon": "1; DROP TABLE leads_lead"}, "is not offered"),
        ({"channel": "' OR 1=1 --"}, "is not a channel"),
        ({"country": "XX"}, "is not a country"),
        ({"country": "de"}, "is not a country"),
        ({"owner": "1 OR 1=1"}, "is not an owner"),
        ({"owner": "9" * 30}, "is not an owner"),
        ({"source": "a" * 101}, "is not a source"),
        ({"source": "nul\0"}, "is not a source"),
    ],
)
def test_nonsense_is_told_and_replaced_by_the_default(params, sentence):
    filters = read_filters(params, TODAY)
    assert sentence in " ".join(filters.problems)
    assert filters.query() == ""


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=30)))
def test_nothing_that_can_be_typed_is_an_error(params):
    filters = read_filters(params, TODAY)
    assert read_filters(dict(parse_qsl(filters.query())), TODAY).query() == filters.query()


def test_the_funnel_offers_only_values_of_leads_that_one_may_see(sam, sue, viv, mia):
    tell("lead 2026-05-01", owner=sam, source="expo", country="KR")
    tell("lead 2026-05-01", owner=sue, source="secret fair", country="DE")
    fold()

    def offered(user) -> dict[str, set[str]]:
        options = segment_options(user)
        return {name: {option.value for option in options[name]} for name in options}

    assert offered(mia)["source"] == {"expo", "secret fair"}
    assert offered(sam) == {
        "channel": {"unknown"},
        "source": {"expo"},
        "country": {"KR"},
        "owner": {str(sam.pk)},
    }
    assert not any(offered(viv).values())
