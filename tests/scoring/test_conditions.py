"""Conditions mean the same in SQL and in Python, refuse nonsense, and read as sentences."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leads.models import Account, Lead
from scoring import conditions, rules
from scoring.conditions import Parameters
from scoring.matching import LEAD_TABLES
from scoring.models import Signal
from scoring.vocabulary import OPERATORS, find_field
from scoring.wording import describe
from tests.factories import LeadFactory

pytestmark = pytest.mark.django_db

WORDS = (
    "CEO",
    "director",
    "Head of IT",
    "대표이사",
    "a.b*c",
    "50",
    "-3.5",
    "TRUE",
    "Größe",
    "(x|y)",
)
texts = st.one_of(
    st.sampled_from(WORDS),
    st.text(
        st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs", "Cc"]),
        min_size=1,
        max_size=12,
    ),
).filter(lambda text: bool(text.strip()) and text.isprintable())
numbers = st.one_of(st.integers(-100, 100), st.floats(-100, 100).map(lambda x: round(x, 3)))
wanted = {
    "nothing": st.none(),
    "text": texts,
    "texts": st.lists(texts, min_size=1, max_size=3),
    "number": numbers,
    "range": st.tuples(numbers, numbers).map(lambda pair: sorted(pair)),
}
comparisons = st.sampled_from(sorted(OPERATORS)).flatmap(
    lambda operator: st.tuples(st.just(operator), wanted[OPERATORS[operator].takes])
)


def in_sql(condition: dict, text: str | None) -> bool:
    """Whether a lead whose persona is `text` meets the condition, says PostgreSQL."""
    parameters = Parameters(text=text)
    sql = conditions.as_sql([condition], "fit", parameters)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(({sql}), false) FROM (SELECT %(text)s::text AS persona) l",
            parameters.values,
        )
        return cursor.fetchone()[0]


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(comparisons, st.one_of(st.none(), texts))
def test_sql_and_python_agree(db, comparison, known):
    operator, value = comparison
    condition = {"field": "persona", "operator": operator, "value": value}
    # Fields of our own are texts or numbers; what admins name may be compared as either.
    conditions.check_conditions([condition | {"field": "custom.persona"}], "fit")
    assert in_sql(condition, known) == rules.holds(operator, value, known)


@pytest.mark.parametrize(
    ("operator", "value", "title", "is_met"),
    [
        ("has_word", ["cto"], "Director", False),
        ("has_word", ["CTO", "대표"], "대표이사", True),
        ("has_word", "vp", "VP, Sales", True),
        ("contains", "direct", "Managing Director", True),
        ("starts_with", "a.b", "axb", False),
        ("is_not", "intern", "", False),  # unknown is unknown, never "not an intern"
        ("is_unknown", None, "", True),
        ("at_least", 50, "forty", False),
        ("between", [1, 3], "2.5", True),
    ],
)
def test_operators(operator, value, title, is_met):
    condition = {"field": "persona", "operator": operator, "value": value}
    assert in_sql(condition, title) is is_met
    assert rules.holds(operator, value, title or None) is is_met


def known_of(lead: Lead, name: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {find_field(name, 'fit').sql} {LEAD_TABLES} WHERE l.id = %s", [lead.pk]
        )
        return cursor.fetchone()[0]


def test_fields_look_at_the_account_and_at_own_fields():
    account = Account.objects.create(name="Acme", industry="Food", country="KR", employee_count=70)
    lead = LeadFactory(
        email="kim@gmail.com", account=account, custom={"tier": "gold", "employee_count": "9"}
    )
    bare = LeadFactory(
        email="lee@acme.example",
        first_name="",
        last_name="",
        account=None,
        custom={"employee_count": "1e9"},
    )
    fields = ("industry", "country", "company", "employee_count", "email_type", "custom.tier")
    assert [known_of(lead, f) for f in fields] == ["Food", "KR", "Acme", 70, "free", "gold"]
    assert [known_of(bare, f) for f in fields] == [None, None, None, None, "corporate", None]


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        ("is it", "Write a list of conditions"),
        ([{"field": "persona; DROP TABLE", "operator": "is", "value": "x"}], "There is no field"),
        ([{"field": "custom.a' OR 1=1", "operator": "is", "value": "x"}], "There is no field"),
        ([{"field": "title", "operator": "~", "value": "(a+)+$"}], "is no operator"),
        ([{"field": "title", "operator": "is", "value": "x", "or": 1}], "Unknown word “or”"),
        ([{"field": "title", "operator": "is", "value": ""}], "must be a text"),
        ([{"field": "title", "operator": "is", "value": "a\x00b"}], "must be a text"),
        ([{"field": "title", "operator": "contains", "value": []}], "give 1 to 100 values"),
        ([{"field": "title", "operator": "is_known", "value": "x"}], "takes no value"),
        ([{"field": "employee_count", "operator": "at_least", "value": "many"}], "a number"),
        ([{"field": "employee_count", "operator": "at_least", "value": True}], "a number"),
        ([{"field": "employee_count", "operator": "between", "value": [9, 1]}], "upside down"),
        ([{"field": "employee_count", "operator": "between", "value": 9}], "as [from, to]"),
        ([{"field": "title", "operator": "is_known"}] * 11, "At most 10"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(condition, sentence):
    with pytest.raises(ValidationError) as refusal:
        conditions.check_conditions(condition, "fit")
    assert sentence in refusal.value.message


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"axis": "interest", "event_kind": ""}, "event_kind"),
        ({"axis": "fit", "event_kind": "page_viewed"}, "event_kind"),
        ({"axis": "fit", "half_life_days": 7}, "half_life_days"),
        ({"axis": "fit", "frequency": "once"}, "frequency"),
        ({"axis": "fit", "conditions": []}, "conditions"),
        ({"frequency": "per_distinct", "distinct_field": "password"}, "distinct_field"),
        ({"axis": "fit", "window_days": 7}, "window_days"),
        ({"axis": "fit", "inactive_days": 7}, "inactive_days"),
        ({"half_life_days": 7, "window_days": 7}, "window_days"),
        ({"window_days": 7, "inactive_days": 7}, "inactive_days"),
        ({"inactive_days": 7, "frequency": "once"}, "frequency"),
    ],
)
def test_a_signal_that_makes_no_sense_is_refused_at_its_field(changes, field):
    signal = Signal(key="x", label="X", axis="interest", event_kind="page_viewed", ordinal=90)
    for name, value in changes.items():
        setattr(signal, name, value)
    with pytest.raises(ValidationError) as refusal:
        signal.clean()
    assert field in refusal.value.message_dict


def test_every_default_signal_is_valid_and_has_a_sentence():
    for signal in Signal.objects.all():
        signal.full_clean()
        assert describe(signal).endswith(".")
    sentence = describe(Signal.objects.get(key="employees_200"))
    assert sentence == "Holds while number of employees is between 200 and 4,999."
