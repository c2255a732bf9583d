import json
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from tracking.clean import DEEPEST, LONGEST_TEXT, MOST_NODES, clean, clean_text, read_integer

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
