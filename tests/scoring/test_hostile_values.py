"""Conditions are total: whatever a lead or an event says, SQL answers, and as rules.py does."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoring import conditions, rules
from scoring.conditions import Parameters
from scoring.models import Rule, Signal
from scoring.vocabulary import EVENT_FIELDS, LEAD_FIELDS, OPERATORS, find_field
from scoring.wording import describe, describe_rule
from tests.scoring.stories import some_lead, tell_events

pytestmark = pytest.mark.django_db

ODD = (
    *(
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "1e-400",
        "0x10",
        "١٢",
        "½",
        "-0",
        "+5",
        "1,5",
        " 7",
    ),
    *("7 ", "9999999999999999", "0.00000000001", "ß", "İ", "ı", "ſ", "K", "\u200b", "\u202e"),
    *(
        "\u0301e",
        "e\u0301",
        "𝔘",
        "👩\u200d👩\u200d👧",
        "\ufffd",
        "\ufdd0",
        "a\nb",
        "%",
        "_",
        "\\",
        "\\%",
    ),
    *("*", "**", "a*b", "[", "(", "{", "^$", ".*", "'", '";--', "true", "TRUE", "yes", "1", "null"),
    *("[]", "{}", "(a+)+$"),
)
texts = st.one_of(
    st.sampled_from(ODD),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20),
    st.integers(1, 3000).map(lambda n: "a" * n + "!"),
)
# What senders put where a text is expected: PostgreSQL keeps any of it as jsonb.
documents = st.recursive(
    st.one_of(
        st.none(), st.booleans(), texts, st.integers(-(10**40), 10**40),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=5,
)  # fmt: skip
values = texts.filter(
    lambda text: len(text.strip()) > 0 and len(text) <= 200 and text.isprintable()
)
patterns = values.filter(lambda text: bool(text.strip("* ")) and text.count("*") <= 10)
numbers = st.one_of(st.integers(-(10**14), 10**14), st.decimals(-1000, 1000, places=3).map(str))
LEAD_TEXTS = (
    "title", "company", "country", "email", "phone", "persona", "channel", "source", "medium",
    "campaign",
)  # fmt: skip
ACCOUNT_TEXTS = ("name", "industry", "country")
EVENT_TEXTS = ("name", "url", "path", "title")
FIT = (*LEAD_FIELDS, "custom.key", "account.custom.key")
INTEREST = (*EVENT_FIELDS, "properties.key")
PROPERTIES = ("key", "asset", "file_name", "form", "campaign_name", "subject", "email_id")


def wanted(operator: str) -> st.SearchStrategy:
    texts_of = patterns if operator in ("matches", "does_not_match") else values
    return {
        "nothing": st.none(),
        "text": texts_of,
        "texts": st.lists(texts_of, min_size=1, max_size=3),
        "number": numbers,
        "range": st.tuples(numbers, numbers).map(lambda p: sorted(p, key=float)),
    }[OPERATORS[operator].takes]


comparisons = st.sampled_from(sorted(OPERATORS)).flatmap(
    lambda operator: st.tuples(st.just(operator), wanted(operator))
)


def ask(tables: str, name: str, axis: str, condition: dict, known: dict) -> tuple:
    """(what SQL answers, what it took the field to say)"""
    parameters = Parameters(**known)
    sql = conditions.as_sql([condition], axis, parameters)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(({sql}), false), ({find_field(name, axis).sql})::text FROM {tables}",
            parameters.values,
        )
        return cursor.fetchone()


def rows(alias: str, columns: dict[str, str]) -> str:
    listed = ", ".join(f"%({alias}_{name})s::{kind} AS {name}" for name, kind in columns.items())
    return f"(SELECT {listed}) {alias}"


LEAD_TABLES = ", ".join(
    [
        rows("l", dict.fromkeys(LEAD_TEXTS, "text") | {"custom": "jsonb"}),
        rows("a", dict.fromkeys(ACCOUNT_TEXTS, "text") | {
            "custom": "jsonb", "employee_count": "int", "revenue_amount": "numeric"}),
        rows("m", {"kind": "text"}),
        rows("b", {"word": "text"}),
        *(rows(f"w_{n}", {"meaning": "text"}) for n, f in LEAD_FIELDS.items() if f.source),
    ]
)  # fmt: skip
EVENT_TABLE = rows("e", dict.fromkeys(EVENT_TEXTS, "text") | {"properties": "jsonb"})
MANY = settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])


@MANY
@given(st.data(), st.sampled_from(FIT), comparisons)
def test_every_field_of_leads_with_every_operator(db, data, name, comparison):
    operator, value = comparison
    known = {f"l_{column}": data.draw(texts) for column in LEAD_TEXTS}
    known |= {f"a_{column}": data.draw(texts) for column in ACCOUNT_TEXTS}
    keys = ("key", "industry", "employee_count", "revenue_amount", "relationship")
    for alias in "la":
        held = st.dictionaries(st.sampled_from(keys), documents)
        known[f"{alias}_custom"] = json.dumps(data.draw(held))
    known |= {"a_employee_count": data.draw(st.none() | st.integers(0, 2**31 - 1))}
    known |= {"a_revenue_amount": data.draw(st.none() | st.decimals(0, 10**13, places=2))}
    known |= {"m_kind": None, "b_word": None}
    known |= {f"w_{n}_meaning": data.draw(texts) for n, f in LEAD_FIELDS.items() if f.source}
    condition = {"field": name, "operator": operator, "value": value}
    by_sql, said = ask(LEAD_TABLES, name, "fit", condition, known)
    asked = conditions.in_words(condition, conditions.Words())
    assert by_sql == rules.holds(operator, asked["value"], said), (name, said)


@MANY
@given(st.data(), st.sampled_from(INTEREST), comparisons)
def test_every_field_of_events_with_every_operator(db, data, name, comparison):
    operator, value = comparison
    known = {f"e_{column}": data.draw(texts) for column in EVENT_TEXTS}
    held = st.one_of(st.dictionaries(st.sampled_from(PROPERTIES), documents), documents)
    known["e_properties"] = json.dumps(data.draw(held))
    condition = {"field": name, "operator": operator, "value": value}
    by_sql, said = ask(EVENT_TABLE, name, "interest", condition, known)
    assert by_sql == rules.holds(operator, value, said), (name, said)


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from(["a", "b", "*", "%", "_"]), min_size=1, max_size=8).map("".join),
    st.text("ab%_", max_size=10),
)
def test_a_pattern_fits_what_its_definition_says(pattern, text):
    def fits(pattern: str, text: str) -> bool:  # the definition, slow and plain
        if not pattern:
            return not text
        if pattern[0] == "*":
            return any(fits(pattern[1:], text[n:]) for n in range(len(text) + 1))
        return bool(text) and text[0] == pattern[0] and fits(pattern[1:], text[1:])

    assert rules.glob_matches(pattern, text) == fits(pattern, text)


def test_a_pattern_made_to_explode_does_not():
    condition = {"field": "path", "operator": "matches", "value": "*a" * 9 + "*b"}
    known = dict.fromkeys(("e_name", "e_url", "e_title"), "") | {"e_properties": "{}"}
    known["e_path"] = "a" * 100_000
    assert ask(EVENT_TABLE, "path", "interest", condition, known)[0] is False
    assert not rules.glob_matches(condition["value"], known["e_path"])


def test_files_forms_and_mails_by_what_senders_call_them():
    lead = some_lead()
    said = (
        {"file_name": "Plan.pdf", "form_name": "Demo", "email_subject": "Hello"},
        {"asset": "Plan", "form": "Demo", "campaign_name": "Spring"},
        {"form_id": 7, "message_id": ["x"]},
    )
    found = []
    for properties in said:
        event = tell_events(lead, "page_viewed 1d ago", properties=properties)[0]
        with connection.cursor() as cursor:
            columns = ", ".join(EVENT_FIELDS[name].sql for name in ("asset", "form", "mail"))
            cursor.execute(f"SELECT {columns} FROM tracking_event e WHERE id = %s", [event.pk])
            found.append(cursor.fetchone())
    assert found == [
        ("Plan.pdf", "Demo", "Hello"), ("Plan", "Demo", "Spring"), (None, "7", '["x"]')
    ]  # fmt: skip


def c(field: str, operator: str, value: object = None) -> dict:
    return {"field": field, "operator": operator} | ({} if value is None else {"value": value})


@pytest.mark.parametrize(
    ("axis", "some", "sentence"),
    [
        ("fit", [c("country", "is", "DE"), c("country", "is", "FR")],
         "These two can never both hold: country is “Germany”; country is “France”."),
        ("fit", [c("employee_count", "at_least", 10), c("employee_count", "at_most", 5)],
         "both hold: number of employees is at least 10; number of employees is at most 5."),
        ("fit", [c("seniority", "is", "executive"), c("title", "is_unknown")],
         "both hold: seniority is “leads the company”; job title is not known."),
        ("fit", [c("company", "is_unknown"), c("company_name", "contains", "x")],
         "can never both hold"),
        ("fit", [c("industry", "is_unknown"), c("canonical_industry", "is_known")],
         "can never both hold"),
        ("fit", [c("seniority", "is_unknown"), c("title", "is_unknown")], ""),
        ("fit", [c("seniority", "is_unknown"), c("title", "is_known")], ""),
        ("fit", [c("title", "at_least", 5)], "“title” is a text: it cannot be compared"),
        ("interest", [c("path", "between", [1, 2])], "“path” is a text"),
        ("fit", [c("custom.tier", "at_least", 5)], ""),
        ("interest", [c("properties.depth", "between", [1, 2])], ""),
        ("fit", [c("phone", "is_known"), c("phone", "is_unknown")], "can never both hold"),
        ("fit", [c("phone", "is_unknown"), c("phone", "contains", "1")], "can never both hold"),
        ("fit", [c("title", "is_one_of", ["a", "b"]), c("title", "is_none_of", ["A", "B"])],
         "can never both hold"),
        ("fit", [c("employee_count", "between", [1, 3]), c("employee_count", "at_least", 4)],
         "can never both hold"),
        ("interest", [c("path", "is", "/a"), c("path", "matches", "/b/*")], "can never both hold"),
        ("interest", [c("path", "contains", "/pricing"), c("path", "does_not_contain", "pric")],
         "can never both hold"),
        ("fit", [c("title", "is_one_of", ["a", "b"]), c("title", "is_not", "a"),
                 c("title", "is_not", "b")], "No value of “title” meets all"),
        ("fit", [c("score", "at_least", 50)], "would go in a circle"),
        ("fit", [c("custom.stage", "is", "x")], ""),
        ("fit", [c("country", "is", "Germany")], "“Germany” is no code of a country"),
        ("fit", [c("seniority", "is", "boss")], "“seniority” is never “boss”. Known: assistant"),
        ("fit", [c("email_type", "contains", "co")], "“email_type” has fixed values"),
        ("interest", [c("path", "matches", "***")], "* alone fits everything"),
        ("interest", [c("path", "matches", "*a" * 11)], "at most 10 stars"),
        ("fit", [c("country", "is_one_of", ["DE", "FR"]), c("country", "is", "FR")], ""),
        ("fit", [c("employee_count", "at_least", 5), c("employee_count", "at_most", 5)], ""),
    ],
)  # fmt: skip
def test_contradictions_and_nonsense_have_a_sentence(axis, some, sentence):
    if not sentence:
        conditions.check_conditions(some, axis)
        return
    with pytest.raises(ValidationError) as refusal:
        conditions.check_conditions(some, axis)
    assert sentence in refusal.value.message


def test_sentences_of_the_new_words():
    signal = Signal(
        axis="interest", key="x", label="X", event_kind="file_downloaded", frequency="per_distinct",
        distinct_field="asset", half_life_days=1,
        conditions=[c("path", "matches", "/docs/*"), c("asset", "does_not_contain", ["draft"])],
    )  # fmt: skip
    assert describe(signal) == (
        "Event “File downloaded” where path matches “/docs/*” and file is known and does not "
        "contain “draft”; counts once per file; halves every day."
    )
    fit = Signal(
        axis="fit", key="y", label="Y",
        conditions=[c("seniority", "is", "executive"), c("email_type", "is_not", "role")],
    )  # fmt: skip
    assert describe(fit) == (
        "Holds while seniority is “leads the company” and type of e-mail address is known and "
        "not “a shared mailbox”."
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"event_kind": "page_viewed", "window_days": 30},
         "Event “Page viewed”; counts every time; counts for 30 days."),
        ({"inactive_days": 1}, "Holds while the last activity is at least 1 day ago."),
        ({"event_kind": "page_viewed", "inactive_days": 30},
         "Holds while the last “Page viewed” is at least 30 days ago."),
        ({"event_kind": "page_viewed", "inactive_days": 30, "conditions": [c("path", "is", "/a")]},
         "Holds while the last “Page viewed” where path is “/a” is at least 30 days ago."),
    ],
)  # fmt: skip
def test_sentences_of_windows_and_silences(fields, sentence):
    assert describe(Signal(axis="interest", key="z", label="Z", **fields)) == sentence


def test_a_rule_says_what_it_earns():
    signal = Signal(
        axis="interest", key="p", label="P", event_kind="pricing_page_viewed", max_count=2,
        frequency="per_period", half_life_days=21,
    )  # fmt: skip
    sentence = "Event “Pricing page viewed”; at most twice a day; halves every 21 days."
    for points, earned in (("8", "+8 points"), ("1", "+1 point"), ("-2.50", "-2.5 points")):
        rule = Rule(signal=signal, points=Decimal(points))
        assert describe_rule(rule) == f"{earned}: {sentence}"
    assert describe_rule(Rule(signal=signal, points=1, is_blocking=True)).endswith(" Blocks.")
