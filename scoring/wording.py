"""Signals, rules and ledger lines in plain words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from scoring.ledger import Line, LineKind
from scoring.models import Signal
from scoring.vocabulary import OPERATORS, Frequency, find_field
from tracking.events import describe as describe_kind

MOST_VALUES = 6


def describe(signal: Signal) -> str:
    """What counts, how often and for how long: one sentence."""
    parts = [_what(signal), *_where(signal), _how_often(signal), _how_long(signal)]
    return "; ".join(part for part in parts if part) + "."


def _what(signal: Signal) -> str:
    if signal.is_fit:
        return _("Holds while")
    return _("Event “%(kind)s”") % {"kind": describe_kind(signal.event_kind).label}


def _where(signal: Signal) -> list[str]:
    return [describe_condition(condition, signal.axis) for condition in signal.conditions]


def describe_condition(condition: dict, axis: str) -> str:
    """job title has the word CEO or CTO"""
    field = find_field(condition["field"], axis)
    operator = OPERATORS[condition["operator"]]
    phrase = str(operator.phrase)
    if operator.takes != "nothing":
        phrase %= {"value": _value(condition.get("value"), operator.takes)}
    return f"{field.label if field else condition['field']} {phrase}"


def _value(value: Any, takes: str) -> str:
    if takes == "range":
        low, high = (_number(bound) for bound in value)
        return _("%(low)s and %(high)s") % {"low": low, "high": high}
    if takes == "number":
        return _number(value)
    texts = value if isinstance(value, list) else [value]
    shown = ", ".join(f"“{text}”" for text in texts[:MOST_VALUES])
    more = len(texts) - MOST_VALUES
    if more > 0:
        shown += " " + ngettext("or %(n)s other", "or %(n)s others", more) % {"n": more}
    return shown


def _number(value: Any) -> str:
    return number_format(Decimal(str(value)), use_l10n=True, force_grouping=True)


def _how_often(signal: Signal) -> str:
    if signal.frequency == Frequency.ONCE:
        return _("counts once")
    if signal.frequency == Frequency.PER_DISTINCT:
        return _("counts once per %(what)s") % {"what": signal.distinct_field}
    if signal.frequency == Frequency.PER_PERIOD:
        most = ngettext("at most once", "at most %(n)s times", signal.max_count)
        days = ngettext("a day", "in %(n)s days", signal.period_days)
        return f"{most % {'n': signal.max_count}} {days % {'n': signal.period_days}}"
    return "" if signal.is_fit else _("counts every time")


def _how_long(signal: Signal) -> str:
    if signal.half_life_days is None:
        return "" if signal.is_fit else _("does not fade")
    return ngettext("halves every day", "halves every %(days)s days", signal.half_life_days) % {
        "days": signal.half_life_days
    }


def describe_adjustment(line: Line) -> str:
    """What a line without rule does."""
    return {
        LineKind.GROUP_CAP: _("“%(group)s” has reached its cap") % {"group": _(line.group)},
        LineKind.FLOOR: _("Not below the least"),
        LineKind.CEILING: _("Not above the most"),
    }[line.kind]
