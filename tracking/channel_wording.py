"""Channel rules and their decisions in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from leads.channels import Channel
from tracking.channel_models import ChannelRule, Operator, Subject
from tracking.channels import Arrival, Decision

SHOWN_VALUES = 6


@dataclass(frozen=True)
class Condition:
    """“UTM medium is one of cpc, ppc, …”; `values` is cut, `more` says by how many."""

    subject: str
    operator: str
    values: list[str]
    more: int


def conditions(rule: ChannelRule) -> list[Condition]:
    found = [_condition(rule.subject, rule.operator, rule.values)]
    if rule.also_subject:
        found.append(_condition(rule.also_subject, rule.also_operator, rule.also_values))
    return found


def _condition(subject: str, operator: str, values: Sequence[str]) -> Condition:
    return Condition(
        str(Subject(subject).label),
        str(Operator(operator).label),
        list(values[:SHOWN_VALUES]),
        max(len(values) - SHOWN_VALUES, 0),
    )


def explain(decision: Decision, arrival: Arrival) -> str:
    """Why this channel, in one sentence."""
    channel = Channel(decision.touch.channel).label
    if not isinstance(decision.rule, ChannelRule):
        if arrival.has_utm:
            return _("No rule fits its UTM values, so it is “%(channel)s”.") % {"channel": channel}
        return _(
            "No rule fits: neither link nor referrer say anything, so it is “%(channel)s”."
        ) % {"channel": channel}
    because = _(" and ").join(
        _because(condition, fitted)
        for condition, fitted in zip(conditions(decision.rule), decision.fitted, strict=True)
    )
    return _("Rule %(number)s decides: %(because)s, so it is “%(channel)s”.") % {
        "number": decision.rule.position,
        "because": because,
        "channel": channel,
    }


def _because(condition: Condition, fitted: str) -> str:
    return _("%(subject)s %(operator)s “%(fitted)s”") % {
        "subject": condition.subject,
        "operator": condition.operator,
        "fitted": fitted,
    }
