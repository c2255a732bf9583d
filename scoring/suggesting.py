"""A lead's books and open possibilities, for lifting.py: what would lift it over the threshold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from leads.models import Lead
from scoring import rules
from scoring.choosing import these
from scoring.conditions import Parameters
from scoring.ledger import Explanation, Fact, Ledger
from scoring.lifting import MOST_TIMES, Books, Option, Way, ways_up
from scoring.matching import met_fields_query
from scoring.models import Rule, Signal
from scoring.rules import Occurrence
from scoring.vocabulary import Axis, Frequency

_LATER = 2**62  # greater than the id of any event


@dataclass(frozen=True)
class Step:
    """One thing of a suggestion: so often, what, worth how much. `fields`: what to learn."""

    times: int
    rule: Rule
    conditions: tuple[dict, ...] = ()


@dataclass(frozen=True)
class Suggestion:
    """Things that together would do; `score` is what the lead would have then."""

    steps: tuple[Step, ...]
    score: Decimal


def suggestions(
    lead: Lead, ledger: Ledger, facts: Sequence[Fact], explanation: Explanation
) -> list[Suggestion]:
    """The nearest ways over the threshold, as of the explanation. One query."""
    if explanation.is_promising or explanation.blocking:
        return []
    unknown = unknown_conditions(lead, ledger)
    by_key = {rule.pk: rule for rule in ledger.rules.values()}
    options = [*_events(ledger, facts, explanation), *_fields(ledger, explanation, unknown)]
    ways = ways_up(books_of(ledger, explanation), options)
    return [_suggestion(way, by_key, unknown) for way in ways]


def _suggestion(way: Way, by_key: dict[int, Rule], unknown: dict[int, list[dict]]) -> Suggestion:
    steps = tuple(
        Step(times, by_key[option.key], tuple(unknown.get(option.key, ())))
        for option, times in way.steps
    )
    return Suggestion(steps, way.outcome.score)


def books_of(ledger: Ledger, explanation: Explanation) -> Books:
    """What the lines of an explanation add up to, group by group."""
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for line in explanation.lines:
        if line.rule:
            sums[line.axis, line.group] += line.exact
    weights = ledger.weights
    return Books(
        sums=sums,
        caps=weights.caps,
        bounds=weights.bounds,
        cuts=weights.cuts,
        threshold=weights.threshold,
        is_blocked=bool(explanation.blocking),
    )


def _events(ledger: Ledger, facts: Sequence[Fact], explanation: Explanation) -> list[Option]:
    """Each kind of event that would earn points if it happened at this instant."""
    ends = {
        f"rule {line.rule.pk}": (line.axis, line.group, line.exact)
        for line in explanation.lines
        if line.rule and line.exact > 0 and line.rule.signal.inactive_days
    }
    return [
        Option(
            key=rule.pk,
            axis=Axis.INTEREST,
            group=rule.group,
            points=float(rule.points),
            most=still_countable(rule.signal, facts, explanation.as_of),
            ends=ends,
        )
        for rule in ledger.rules.values()
        if _may_help(rule) and not rule.signal.is_fit and not rule.signal.inactive_days
    ]


def _may_help(rule: Rule) -> bool:
    return rule.points > 0 and not rule.is_blocking


def still_countable(signal: Signal, facts: Iterable[Fact], as_of: datetime) -> int:
    """How many more events of this signal, at this instant, its frequency lets count."""
    own = [fact for fact in facts if fact.signal.pk == signal.pk and fact.event_id]
    if signal.window_days and signal.frequency == Frequency.ONCE:
        own = [fact for fact in own if fact.holds_at(as_of)]
    before = [Occurrence(fact.since, fact.event_id or 0, f"event {fact.event_id}") for fact in own]
    new = [Occurrence(as_of, _LATER + n, f"new {n}") for n in range(MOST_TIMES)]
    chosen = rules.counted(
        [*before, *new],
        frequency=signal.frequency,
        max_count=signal.max_count,
        period_days=signal.period_days,
        zone=ZoneInfo(settings.REPORTING_TIME_ZONE),
    )
    return sum(occurrence.event_id >= _LATER for occurrence in chosen)


def _fields(
    ledger: Ledger, explanation: Explanation, unknown: dict[int, list[dict]]
) -> list[Option]:
    """Each fit rule that only lacks fields which nobody knows yet."""
    by_pk = {rule.pk: rule for rule in ledger.rules.values()}
    return [
        Option(
            key=pk,
            axis=Axis.FIT,
            group=by_pk[pk].group,
            points=float(by_pk[pk].points),
            most=1,
            fields=frozenset(condition["field"] for condition in conditions),
            ends=_ended_by(explanation, {condition["field"] for condition in conditions}),
        )
        for pk, conditions in unknown.items()
    ]


def _ended_by(explanation: Explanation, fields: set[str]) -> dict[str, tuple[str, str, float]]:
    """What counts now because one of these fields is unknown."""
    return {
        f"rule {line.rule.pk}": (line.axis, line.group, line.exact)
        for line in explanation.lines
        if line.rule and any(_asks_unknown(c, fields) for c in line.rule.signal.conditions)
    }


def _asks_unknown(condition: dict, fields: set[str]) -> bool:
    return condition["operator"] == "is_unknown" and condition["field"] in fields


def unknown_conditions(lead: Lead, ledger: Ledger) -> dict[int, list[dict]]:
    """Of each fit rule that would hold if only more were known: the conditions it lacks."""
    rules_of_fit = [r for r in ledger.rules.values() if r.signal.is_fit and _may_help(r)]
    asked = [(rule, c) for rule in rules_of_fit for c in rule.signal.conditions]
    if not asked:
        return {}
    held, known = _answers(lead, [condition for _rule, condition in asked])
    lacking: dict[int, list[dict]] = {}
    hopeless = set()
    for place, (rule, condition) in enumerate(asked):
        if place in held:
            continue
        lacking.setdefault(rule.pk, []).append(condition)
        if place in known or condition["operator"] == "is_unknown":
            hopeless.add(rule.pk)
    return {pk: conditions for pk, conditions in lacking.items() if pk not in hopeless}


def _answers(lead: Lead, conditions: Sequence[dict]) -> tuple[set[int], set[int]]:
    """By their places: which of these conditions hold, and of which the field is known."""
    count = len(conditions)
    questions = [
        *conditions,
        *({"field": c["field"], "operator": "is_known"} for c in conditions),
    ]
    signals = [Signal(pk=n, axis=Axis.FIT, conditions=[c]) for n, c in enumerate(questions)]
    which = these([lead.pk])
    parameters = Parameters(**which.values)
    with connection.cursor() as cursor:
        cursor.execute(met_fields_query(which, signals, parameters), parameters.values)
        met = {signal_id for _lead_id, signal_id in cursor.fetchall()}
    return {n for n in met if n < count}, {n - count for n in met if n >= count}
