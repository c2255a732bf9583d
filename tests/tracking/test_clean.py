import json
import math

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracking.clean import (
    DEEPEST,
    LONGEST_KEY,
    LONGEST_TEXT,
    MOST_NAMES,
    MOST_NODES,
    _names,
    clean,
    clean_text,
    read_integer,
)
from tracking.events import snake_case

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=50),
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(st.text(st.characters(exclude_categories=())), inner, max_size=6)
    ),
    max_leaves=40,
)


def depth_of(value) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


def count_nodes(value) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(count_nodes, inner))


@given(anything)
@settings(max_examples=300)
def test_what_comes_out_is_strict_json_without_nul_and_broken_unicode(document):
    text = json.dumps(clean(document), allow_nan=False, ensure_ascii=False)
    assert "\\u0000" not in text
    text.encode()  # fails on lone surrogates


@given(anything)
def test_cleaning_twice_changes_nothing(document):
    assert clean(clean(document)) == clean(document)


def spelled_out(value, depth=DEEPEST, budget=None):
    """What clean does, without its short ways: the first 500 values, ten levels, plain texts."""
    budget = [MOST_NODES] if budget is None else budget
    budget[0] -= 1
    if isinstance(value, (dict, list)) and depth == 0:
        return None
    if isinstance(value, dict):
        out = {}
        for key, item in value.items():
            if budget[0] > 0:
                name = snake_case(clean_text(key, LONGEST_KEY))
                out[name] = spelled_out(item, depth - 1, budget)
        return out
    if isinstance(value, list):
        return [spelled_out(item, depth - 1, budget) for item in value if budget[0] > 0]
    return clean_text(value) if isinstance(value, str) else clean(value)


@given(anything | st.dictionaries(st.text(max_size=130), st.text(max_size=9) | anything))
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_the_short_ways_lead_to_the_same_place(document):
    assert repr(clean(document)) == repr(spelled_out(document))


def test_wide_and_deep_documents_are_cut_at_the_same_place():
    wide = {f"k{i}": {"a": i, "b": [i, str(i)]} for i in range(300)}
    deep: dict = {"end": 1}
    for _ in range(12):
        deep = {"a": deep, "b": "x"}
    long = {"k" * 150: "v", "k" * 100: "w", "t": "x" * 5_000, "Größe\n": "\x7f"}
    for document in (wide, deep, long, [wide, deep], {"a": [deep] * 60, "z": "z"}):
        assert clean(document) == spelled_out(document)


def test_names_of_keys_are_remembered_within_bounds():
    for number in range(MOST_NAMES + 10):
        clean({f"key{number}": 1, "k" * 101 + str(number): 1})
    assert len(_names) <= MOST_NAMES
    assert max(map(len, _names)) <= LONGEST_KEY


def test_plain_documents_only_get_snake_case_keys():
    document = {"orderId": "A-1", "Feed Type": None, "line\nbreak": "a\nb\tc", "n": [1, 2.5, True]}
    assert clean(document) == {
        "order_id": "A-1",
        "feed_type": None,
        "line_break": "a\nb\tc",
        "n": [1, 2.5, True],
    }
    assert clean({}) == {}


def test_deep_wide_and_long_documents_are_cut():
    deep: list = []
    for _ in range(900):
        deep = [deep]
    assert depth_of(clean(deep)) == DEEPEST
    assert count_nodes(clean({f"k{i}": i for i in range(5_000)})) <= MOST_NODES
    assert count_nodes(clean([[0] * 100] * 100)) <= MOST_NODES + 1
    assert len(clean("x" * 100_000)) == LONGEST_TEXT


def test_strange_numbers_and_texts_are_made_storable():
    assert clean([math.nan, math.inf, -math.inf]) == [None, None, None]
    assert clean(2**53 + 1) == "9007199254740993"
    assert clean(10**5000) == "…"
    assert clean("a\x00b\x1bc\ud800d") == "abc\N{REPLACEMENT CHARACTER}d"
    assert clean("가격 – prix 💶") == "가격 – prix 💶"


def test_a_text_can_be_made_of_anything():
    assert clean_text(None) == clean_text({"a": 1}) == clean_text([1]) == clean_text(True) == ""
    assert clean_text(12) == "12"
    assert clean_text("x" * 10, 3) == "xxx"


def test_numbers_of_thousands_of_digits_stay_text():
    assert read_integer("12") == 12
    assert read_integer("-" + "9" * 5000) == "-" + "9" * 5000


def test_marks_that_turn_a_page_around_go_and_those_of_ordinary_writing_stay():
    turning = [*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))]
    for mark in turning:
        assert clean({f"a{mark}": f"Ada{mark}evil"}) == {"a": "Adaevil"}
        assert clean_text(f"{mark}Ada\n") == "Ada\n"
    ordinary = "\u05d0\u200f\u200e\u200d\u0627"  # as Hebrew, Arabic and emoji need
    assert clean_text(ordinary) == ordinary
