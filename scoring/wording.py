"""Signals, rules and ledger lines in plain words."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from scoring.condition_wording import describe_condition, number
from scoring.ledger import Line, LineKind
from scoring.models import Rule, Signal
from scoring.vocabulary import Axis, Frequency, find_field
from tracking.events import describe as describe_kind


def describe(signal: Signal) -> str:
    """What counts, how often and for how long: one sentence."""
    parts = [_what(signal), _how_often(signal), _how_long(signal)]
    return "; ".join(part for part in parts if part) + "."


def describe_rule(rule: Rule) -> str:
    """The same with what it earns: “+8 points: event …; at most twice a day; …”."""
    points = Decimal(rule.points)
    shown = {"points": ("+" if points > 0 else "") + number(points.normalize())}
    earned = _("+1 point") if points == 1 else _("%(points)s points") % shown
    sentence = f"{earned}: {describe(rule.signal)}"
    return f"{sentence} {_('Blocks.')}" if rule.is_blocking else sentence


def _what(signal: Signal) -> str:
    where = _where(signal)
    if signal.is_fit:
        return _("Holds while %(where)s") % {"where": where}
    if signal.inactive_days:
        return _silence(signal, where)
    kind = {"kind": describe_kind(signal.event_kind).label, "where": where}
    if not where:
        return _("Event “%(kind)s”") % kind
    return _("Event “%(kind)s” where %(where)s") % kind


def _silence(signal: Signal, where: str) -> str:
    """Holds while the last event “Page viewed” where path … lies at least 30 days back"""
    days = ngettext("%(n)s day", "%(n)s days", signal.inactive_days or 0)
    parts = {
        "kind": describe_kind(signal.event_kind).label if signal.event_kind else "",
        "where": where,
        "days": days % {"n": signal.inactive_days},
    }
    if signal.event_kind and where:
        sentence = _("Holds while the last “%(kind)s” where %(where)s is at least %(days)s ago")
    elif signal.event_kind:
        sentence = _("Holds while the last “%(kind)s” is at least %(days)s ago")
    elif where:
        sentence = _("Holds while the last activity where %(where)s is at least %(days)s ago")
    else:
        sentence = _("Holds while the last activity is at least %(days)s ago")
    return sentence % parts


def _where(signal: Signal) -> str:
    parts = [describe_condition(condition, signal.axis) for condition in signal.conditions]
    return str(_(" and ")).join(parts)


def _how_often(signal: Signal) -> str:
    if signal.inactive_days:
        return ""
    if signal.frequency == Frequency.ONCE:
        return _("counts once")
    if signal.frequency == Frequency.PER_DISTINCT:
        field = find_field(signal.distinct_field, Axis.INTEREST)
        what = field.label if field else signal.distinct_field
        return _("counts once per %(what)s") % {"what": what}
    if signal.frequency == Frequency.PER_PERIOD:
        most = ngettext("at most once", "at most %(n)s times", signal.max_count)
        if signal.max_count == 2:
            most = _("at most twice")
        days = ngettext("a day", "in %(n)s days", signal.period_days)
        return f"{most % {'n': signal.max_count}} {days % {'n': signal.period_days}}"
    return "" if signal.is_fit else _("counts every time")


def _how_long(signal: Signal) -> str:
    if signal.inactive_days:
        return ""
    if signal.window_days:
        days = ngettext("counts for a day", "counts for %(days)s days", signal.window_days)
        return days % {"days": signal.window_days}
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
