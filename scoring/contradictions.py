"""Conditions that can never all hold, found before a signal waits in vain for its first lead.

Only what is certain is named: two ranges that do not meet, a list of values none of which
the other conditions let through, a field that is to be known and unknown, or that is
read from one that is to be unknown.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from scoring.condition_wording import describe_condition
from scoring.rules import TRUE_WORDS, as_texts, folded, holds
from scoring.vocabulary import find_field

LISTS = ("is", "is_one_of")
BOUNDS = ("at_least", "at_most", "between")


class Bounds(NamedTuple):
    """From the first number to the second, both included; None is no bound."""

    low: Decimal | None
    high: Decimal | None


def find_contradiction(conditions: list[dict], axis: str) -> str:
    """A sentence about the first two conditions that exclude each other; "" when none do.

    The conditions have been checked one by one.
    """
    by_field: dict[str, list[dict]] = defaultdict(list)
    for condition in conditions:
        by_field[condition["field"]].append(condition)
    if sentence := _asks_what_follows_from_nothing(by_field, axis):
        return sentence
    for some in by_field.values():
        for place, one in enumerate(some):
            for other in some[:place]:
                if _excludes(one, other):
                    return _never_both(other, one, axis)
        if _leaves_nothing(some):
            return _("No value of “%(field)s” meets all of these conditions: %(all)s.") % {
                "field": some[0]["field"],
                "all": "; ".join(describe_condition(condition, axis) for condition in some),
            }
    return ""


def _never_both(one: dict, other: dict, axis: str) -> str:
    """No quotation marks around the conditions, for they have some of their own."""
    return _("These two can never both hold: %(one)s; %(other)s.") % {
        "one": describe_condition(one, axis),
        "other": describe_condition(other, axis),
    }


def _asks_what_follows_from_nothing(by_field: dict[str, list[dict]], axis: str) -> str:
    """Seniority is read from the job title: where there is none, no seniority is known."""
    for name, some in by_field.items():
        field = find_field(name, axis)
        asks = [one for one in some if one["operator"] != "is_unknown"]
        if not asks or field is None or not field.source:
            continue
        for other_name, others in by_field.items():
            other = find_field(other_name, axis)
            unknown = [one for one in others if one["operator"] == "is_unknown"]
            if unknown and other and other.sql == field.source:
                return _never_both(asks[0], unknown[0], axis)
    return ""


def _excludes(one: dict, other: dict) -> bool:
    operators = {one["operator"], other["operator"]}
    if "is_unknown" in operators:
        return operators != {"is_unknown"}
    if operators <= set(BOUNDS):
        return _are_apart(_bounds(one), _bounds(other))
    return _leaves_nothing([one, other]) or _says_both(one, other) or _says_both(other, one)


def _leaves_nothing(some: list[dict]) -> bool:
    """Whether of the values that one condition lists none meets the others."""
    lists = [_listed(condition) for condition in some if _listed(condition)]
    if not lists:
        return False
    return not any(
        all(holds(c["operator"], c.get("value"), value) for c in some) for value in lists[0]
    )


def _listed(condition: dict) -> list[str]:
    if condition["operator"] == "is_true":
        return list(TRUE_WORDS)
    return as_texts(condition["value"]) if condition["operator"] in LISTS else []


def _says_both(one: dict, other: dict) -> bool:
    """contains “pricing” and does not contain “pric”: what has the one has the other."""
    if (one["operator"], other["operator"]) == ("contains", "does_not_contain"):
        wanted = [folded(text) for text in as_texts(one["value"])]
        unwanted = [folded(text) for text in as_texts(other["value"])]
        return all(any(no in yes for no in unwanted) for yes in wanted)
    if (one["operator"], other["operator"]) == ("matches", "does_not_match"):
        return {*map(folded, as_texts(one["value"]))} <= {*map(folded, as_texts(other["value"]))}
    return False


def _bounds(condition: dict) -> Bounds:
    value = condition["value"]
    if condition["operator"] == "between":
        return Bounds(Decimal(str(value[0])), Decimal(str(value[1])))
    number = Decimal(str(value))
    return Bounds(number, None) if condition["operator"] == "at_least" else Bounds(None, number)


def _are_apart(one: Bounds, other: Bounds) -> bool:
    return _is_above(one, other) or _is_above(other, one)


def _is_above(one: Bounds, other: Bounds) -> bool:
    return one.low is not None and other.high is not None and one.low > other.high
