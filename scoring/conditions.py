"""Conditions of signals: checked when an admin writes them, turned into SQL when leads are folded.

A condition is {"field": …, "operator": …, "value": …}; a signal holds when all
of its conditions hold. What is unknown meets no condition except `is_unknown`.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from leads.countries import countries
from scoring.contradictions import find_contradiction
from scoring.letters import lowered
from scoring.meanings import MEANINGS, Words
from scoring.rules import NEGATIONS, TRUE_WORDS, as_texts, folded, like_pattern, text_pattern
from scoring.vocabulary import (
    EVENT_FIELDS,
    LEAD_FIELDS,
    OPERATORS,
    SET_BY_THE_SCORE,
    Axis,
    Field,
    Frequency,
    Kind,
    as_number,
    find_field,
)
from tracking.events import NOT_SCORED

if TYPE_CHECKING:
    from scoring.models import Signal

MOST_CONDITIONS = 10
MOST_VALUES = 100
LONGEST_VALUE = 200
WAYS_OF_TIME = ("half_life_days", "window_days", "inactive_days")
EQUALITIES = ("is", "is_not", "is_one_of", "is_none_of")
MOST_STARS = 10
LARGEST_NUMBER = Decimal(10) ** 15


def check_signal(signal: Signal) -> None:
    """Raise ValidationError, with a sentence at each field, when the signal makes no sense."""
    errors: dict[str, Any] = {}
    if signal.axis == Axis.FIT:
        _check_fit(signal, errors)
    elif not signal.event_kind and not signal.inactive_days:
        errors["event_kind"] = _("An interest signal needs the kind of event it counts.")
    elif signal.event_kind in NOT_SCORED:
        errors["event_kind"] = _("Time spent on a page earns no points of its own.")
    if signal.frequency == Frequency.PER_DISTINCT and not find_field(
        signal.distinct_field, Axis.INTEREST
    ):
        errors["distinct_field"] = _("“%(name)s” is no field of an event.") % {
            "name": signal.distinct_field
        }
    _check_time(signal, errors)
    try:
        check_conditions(signal.conditions, signal.axis)
    except ValidationError as error:
        errors["conditions"] = error.message
    if errors:
        raise ValidationError(errors)


def _check_time(signal: Signal, errors: dict[str, Any]) -> None:
    """Fading, a window and inactivity are three ways for time to pass: at most one of them."""
    set_ones = [name for name in WAYS_OF_TIME if getattr(signal, name)]
    if len(set_ones) > 1:
        for name in set_ones[1:]:
            errors[name] = _("Choose one: half-life, window or inactivity. Leave the others empty.")
    elif signal.inactive_days and signal.frequency != Frequency.EVERY:
        errors["frequency"] = _("Inactivity is counted once by itself; choose “every time”.")


def _check_fit(signal: Signal, errors: dict[str, Any]) -> None:
    if signal.window_days or signal.inactive_days:
        name = "window_days" if signal.window_days else "inactive_days"
        errors[name] = _("A fit signal looks at fields, not at events. Leave this empty.")
    if signal.event_kind:
        errors["event_kind"] = _("A fit signal looks at fields, not at events. Leave this empty.")
    if signal.half_life_days:
        errors["half_life_days"] = _("Fit does not fade. Leave the half-life empty.")
    if signal.frequency != Frequency.EVERY:
        errors["frequency"] = _("A field counts while it holds; choose “every time”.")
    if not signal.conditions:
        errors["conditions"] = _("A fit signal needs at least one condition.")


def check_conditions(conditions: Any, axis: str) -> None:
    """Raise ValidationError with a whole sentence for the first condition that is not allowed."""
    if not isinstance(conditions, list) or not all(isinstance(c, dict) for c in conditions):
        raise ValidationError(
            _('Write a list of conditions, such as [{"field": …, "operator": …, "value": …}].')
        )
    if len(conditions) > MOST_CONDITIONS:
        raise ValidationError(_("At most %(most)s conditions.") % {"most": MOST_CONDITIONS})
    for condition in conditions:
        _check_one(condition, axis)
    if sentence := find_contradiction(conditions, axis):
        raise ValidationError(sentence)


def _check_one(condition: dict, axis: str) -> None:
    unknown = set(condition) - {"field", "operator", "value"}
    if unknown:
        raise ValidationError(_("Unknown word “%(word)s”.") % {"word": min(unknown)})
    name, operator = condition.get("field"), condition.get("operator")
    field = _checked_field(name, axis)
    if not isinstance(operator, str) or operator not in OPERATORS:
        raise ValidationError(
            _("“%(word)s” is no operator. Known: %(known)s.")
            % {"word": operator, "known": ", ".join(OPERATORS)}
        )
    _CHECKS[OPERATORS[operator].takes](str(name), condition.get("value"))
    if OPERATORS[operator].takes != "nothing":
        _check_kind(str(name), axis, operator)
        _check_choices(str(name), field, operator, condition["value"])
    if operator in ("matches", "does_not_match"):
        _check_patterns(str(name), as_texts(condition["value"]))


def _checked_field(name: Any, axis: str) -> Field:
    field = find_field(name, axis) if isinstance(name, str) else None
    if field is not None:
        return field
    if isinstance(name, str) and name.rpartition(".")[2] in SET_BY_THE_SCORE:
        raise ValidationError(
            _("“%(name)s” follows from the score: a rule that looked at it would go in a circle.")
            % {"name": name}
        )
    raise ValidationError(_("There is no field “%(name)s” to look at.") % {"name": name})


def _check_choices(name: str, field: Field, operator: str, value: Any) -> None:
    """Values of a field that has only a few, and codes of countries, are spelled right."""
    if field.choices and operator not in EQUALITIES:
        raise ValidationError(
            _("“%(name)s” has fixed values: ask whether it is one of them.") % {"name": name}
        )
    if operator not in EQUALITIES or not (field.choices or field.is_country):
        return
    known = {code.lower() for code, _name in field.choices or countries}
    for text in as_texts(value):
        if text.lower() in known:
            continue
        if field.is_country:
            raise ValidationError(
                _("“%(text)s” is no code of a country. Write two letters, such as DE or KR.")
                % {"text": text}
            )
        raise ValidationError(
            _("“%(name)s” is never “%(text)s”. Known: %(known)s.")
            % {"name": name, "text": text, "known": ", ".join(sorted(known))}
        )


def _check_kind(name: str, axis: str, operator: str) -> None:
    """A text is no number; only what senders and admins name themselves may be either."""
    known = LEAD_FIELDS if axis == Axis.FIT else EVENT_FIELDS
    is_text = name in known and known[name].kind == Kind.TEXT and not known[name].choices
    if is_text and OPERATORS[operator].takes in ("number", "range"):
        raise ValidationError(
            _("“%(name)s” is a text: it cannot be compared with numbers.") % {"name": name}
        )


def _check_patterns(name: str, patterns: list[str]) -> None:
    for pattern in patterns:
        if not pattern.strip("*"):
            raise ValidationError(
                _("“%(name)s”: * alone fits everything; ask whether it is known.") % {"name": name}
            )
        if pattern.count("*") > MOST_STARS:
            raise ValidationError(
                _("“%(name)s”: at most %(most)s stars in a pattern.")
                % {"name": name, "most": MOST_STARS}
            )


def _check_nothing(name: str, value: Any) -> None:
    if value not in (None, ""):
        raise ValidationError(_("“%(name)s”: this operator takes no value.") % {"name": name})


def _check_texts(name: str, value: Any) -> None:
    values = value if isinstance(value, list) else [value]
    if not values or len(values) > MOST_VALUES:
        raise ValidationError(
            _("“%(name)s”: give 1 to %(most)s values.") % {"name": name, "most": MOST_VALUES}
        )
    for text in values:
        is_fine = isinstance(text, str) and bool(text.strip()) and len(text) <= LONGEST_VALUE
        if not is_fine or not text.isprintable():
            raise ValidationError(
                _("“%(name)s”: a value must be a text of 1 to %(longest)s characters.")
                % {"name": name, "longest": LONGEST_VALUE}
            )


def _check_text(name: str, value: Any) -> None:
    _check_texts(name, [value])


def _number(name: str, value: Any) -> Decimal:
    try:
        number = Decimal(str(value)) if not isinstance(value, bool) else Decimal("nan")
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or abs(number) >= LARGEST_NUMBER:
        raise ValidationError(_("“%(name)s”: the value must be a number.") % {"name": name})
    return number


def _check_range(name: str, value: Any) -> None:
    if not isinstance(value, list) or len(value) != 2:
        raise ValidationError(_("“%(name)s”: give a range as [from, to].") % {"name": name})
    if _number(name, value[0]) > _number(name, value[1]):
        raise ValidationError(_("“%(name)s”: the range is upside down.") % {"name": name})


_CHECKS = {
    "nothing": _check_nothing,
    "text": _check_text,
    "texts": _check_texts,
    "number": _number,
    "range": _check_range,
}


class Parameters:
    """Values for the placeholders of one statement; `bind` gives a value its placeholder."""

    def __init__(self, **named: Any) -> None:
        self.values: dict[str, Any] = dict(named)

    def bind(self, value: Any) -> str:
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"%({name})s"


def as_sql(
    conditions: list[dict], axis: str, parameters: Parameters, words: Words | None = None
) -> str:
    """One SQL expression that is true when all conditions hold; NULL or false otherwise."""
    understood = (in_words(condition, words or Words()) for condition in conditions)
    parts = [_one_as_sql(condition, axis, parameters) for condition in understood]
    return " AND ".join(parts) or "true"


def in_words(condition: dict, words: Words) -> dict:
    """The condition as the dictionaries understand it: “is Acme GmbH” asks for “acme”."""
    name, operator = condition["field"], condition["operator"]
    field = find_field(name, Axis.FIT)
    is_of_texts = OPERATORS[operator].takes in ("text", "texts")
    if not is_of_texts or field is None or not field.source or field.choices:
        return condition
    texts = as_texts(condition["value"])
    if operator in EQUALITIES:
        return condition | {"value": [MEANINGS[name](text, words) or text for text in texts]}
    # What no entry knows is in small letters; names that entries give are as admins wrote them.
    return condition | {"value": list(dict.fromkeys([*texts, *map(lowered, texts)]))}


def _one_as_sql(condition: dict, axis: str, parameters: Parameters) -> str:
    field = find_field(condition["field"], axis)
    if field is None:
        raise ValueError(f"no field {condition['field']!r} on axis {axis}")
    operator, value = condition["operator"], condition.get("value")
    if operator in ("is_known", "is_unknown"):
        return f"({field.sql}) IS {'NOT ' if operator == 'is_known' else ''}NULL"
    if OPERATORS[operator].takes in ("number", "range"):
        return _number_as_sql(field, operator, value, parameters)
    return _text_as_sql(field, operator, value, parameters)


def _number_as_sql(field: Field, operator: str, value: Any, parameters: Parameters) -> str:
    number = field.sql if field.kind == "number" else as_number(f"({field.sql})")
    if operator == "between":
        low, high = (parameters.bind(Decimal(str(bound))) for bound in value)
        return f"({number}) BETWEEN {low} AND {high}"
    sign = ">=" if operator == "at_least" else "<="
    return f"({number}) {sign} {parameters.bind(Decimal(str(value)))}"


def _text_as_sql(field: Field, operator: str, value: Any, parameters: Parameters) -> str:
    # Only A to Z are folded, so that every server, whatever its locale, gives the same score.
    text = f'lower(({field.sql})::text COLLATE "C")'
    if operator == "is_true":
        return f"{text} = ANY({parameters.bind(list(TRUE_WORDS))})"
    values = [folded(item) for item in as_texts(value)]
    if operator in ("is", "is_one_of"):
        return f"{text} = ANY({parameters.bind(values)})"
    if operator in ("is_not", "is_none_of"):
        return f"{text} <> ALL({parameters.bind(values)})"
    return _pattern_as_sql(text, operator, values, parameters)


def _pattern_as_sql(text: str, operator: str, values: list[str], parameters: Parameters) -> str:
    if operator in NEGATIONS:
        return f"NOT ({_pattern_as_sql(text, NEGATIONS[operator], values, parameters)})"
    if operator == "matches":
        return f"{text} LIKE ANY({parameters.bind([like_pattern(value) for value in values])})"
    return f"{text} ~ {parameters.bind(text_pattern(operator, values))}"
