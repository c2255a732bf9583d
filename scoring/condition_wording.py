"""One condition in plain words: “job title has the word CEO or CTO”."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from leads.countries import countries
from scoring.vocabulary import OPERATORS, Field, find_field

MOST_VALUES = 6


def describe_condition(condition: dict, axis: str) -> str:
    """What one condition asks, in the reader's language. Raises nothing for a checked one."""
    field = find_field(condition["field"], axis)
    operator = OPERATORS[condition["operator"]]
    phrase = str(operator.phrase)
    if operator.takes != "nothing":
        phrase %= {"value": _value(condition.get("value"), operator.takes, field)}
    return f"{field.label if field else condition['field']} {phrase}"


def _value(value: Any, takes: str, field: Field | None) -> str:
    if takes == "range":
        low, high = (number(bound) for bound in value)
        return _("%(low)s and %(high)s") % {"low": low, "high": high}
    if takes == "number":
        return number(value)
    texts = value if isinstance(value, list) else [value]
    shown = ", ".join(f"“{_label(text, field)}”" for text in texts[:MOST_VALUES])
    more = len(texts) - MOST_VALUES
    if more > 0:
        shown += " " + ngettext("or %(n)s other", "or %(n)s others", more) % {"n": more}
    return shown


def _label(text: str, field: Field | None) -> str:
    if field and field.is_country:
        return str(countries.name(text) or text)
    return str(dict(field.choices).get(text, text)) if field else text


def number(value: Any) -> str:
    """A number as people of the reader's language write it."""
    return number_format(Decimal(str(value)), use_l10n=True, force_grouping=True)
