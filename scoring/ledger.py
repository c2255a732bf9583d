"""Why a lead has its score: lines that add up to it, to the cent, at any instant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from django.utils.timezone import now

from leads.models import Lead, Standing
from scoring import rules
from scoring.formula import Weights
from scoring.governing import version_for
from scoring.hits import read_hits
from scoring.models import FieldMatch, ModelVersion, Rule, Signal
from scoring.vocabulary import Axis


class LineKind(StrEnum):
    EVENT = "event"
    FIELD = "field"
    GROUP_CAP = "group_cap"
    FLOOR = "floor"
    CEILING = "ceiling"


@dataclass(frozen=True)
class Fact:
    """A hit or a match: this signal held for the lead from `since` on, until `until`."""

    signal: Signal
    since: datetime
    until: datetime | None = None
    event_id: int | None = None

    def holds_at(self, instant: datetime) -> bool:
        return self.since <= instant and (self.until is None or instant < self.until)


@dataclass(frozen=True)
class Line:
    """One line of the ledger. `value` is in points, rounded so that all lines add up.

    `factor` is what decay left, 0..1. Caps, floor and ceiling have lines of
    their own, without rule, that take away or add what they changed.
    """

    kind: LineKind
    axis: str
    group: str
    exact: float
    value: Decimal = Decimal(0)
    rule: Rule | None = None
    occurred_at: datetime | None = None
    event_id: int | None = None
    factor: float = 1.0


@dataclass(frozen=True)
class Explanation:
    """A lead's score at an instant by one model version. Lines first by axis, then by time."""

    version: ModelVersion
    as_of: datetime
    fit: Decimal
    interest: Decimal
    quadrant: str
    is_promising: bool
    blocking: tuple[Rule, ...]
    lines: tuple[Line, ...]

    @property
    def score(self) -> Decimal:
        return self.fit + self.interest


def explain(
    lead: Lead, as_of: datetime | None = None, version: ModelVersion | None = None
) -> Explanation | None:
    """The ledger of a lead; None when there is neither a standing nor an active version.

    Without `as_of` it is that of the standing: same instant, same version, same
    cents. Otherwise `as_of` may lie in the past; the version is then the one that scores it.
    """
    basis = basis_of(lead, as_of, version)
    if basis is None:
        return None
    version, as_of = basis
    return Ledger(version).at(facts_of(lead, as_of), as_of)


def basis_of(
    lead: Lead, as_of: datetime | None = None, version: ModelVersion | None = None
) -> tuple[ModelVersion, datetime] | None:
    """By which version, and as of when, `explain` explains; None when there is no version."""
    standing = Standing.objects.filter(lead=lead).first() if as_of is None else None
    if standing and standing.scored_at and standing.model_version:
        as_of = standing.scored_at
        version = version or ModelVersion.objects.filter(number=standing.model_version).first()
    version = version or version_for(lead)
    return (version, as_of or now()) if version else None


def facts_of(lead: Lead, as_of: datetime) -> list[Fact]:
    """Everything that counted for a lead up to an instant, whatever it is worth."""
    return facts_of_many([lead.pk], as_of)[lead.pk]


def facts_of_many(lead_ids: Sequence[int], as_of: datetime) -> dict[int, list[Fact]]:
    """The facts of each of these leads: four queries."""
    signals = Signal.objects.in_bulk()
    facts: dict[int, list[Fact]] = {lead_id: [] for lead_id in lead_ids}
    for hit in read_hits(lead_ids, as_of):
        facts[hit.lead_id].append(
            Fact(signals[hit.signal_id], hit.since, hit.until, event_id=hit.event_id)
        )
    matches = FieldMatch.objects.filter(lead__in=lead_ids, since__lte=as_of)
    for lead_id, signal_id, since, until in matches.values_list(
        "lead_id", "signal_id", "since", "until"
    ):
        facts[lead_id].append(Fact(signals[signal_id], since, until))
    return facts


class Ledger:
    """The books of one model version: read once, then arithmetic for any lead and instant."""

    def __init__(self, version: ModelVersion) -> None:
        self.version = version
        self.weights = Weights.of(version)
        self.rules = {rule.signal_id: rule for rule in version.rules.select_related("signal")}

    def at(self, facts: Iterable[Fact], as_of: datetime) -> Explanation:
        held = [f for f in facts if f.signal.pk in self.rules and f.holds_at(as_of)]
        held.sort(key=lambda fact: (fact.since, fact.event_id or 0, fact.signal.ordinal))
        lines = [self._line(fact, as_of) for fact in held]
        fit_lines, fit = self._close(Axis.FIT, lines)
        interest_lines, interest = self._close(Axis.INTEREST, lines)
        cuts = self.weights.cuts
        quadrant = rules.quadrant(fit, interest, cuts[Axis.FIT], cuts[Axis.INTEREST])
        blocking = {f.signal.pk: r for f in held if (r := self.rules[f.signal.pk]).is_blocking}
        return Explanation(
            version=self.version,
            as_of=as_of,
            fit=fit,
            interest=interest,
            quadrant=quadrant,
            is_promising=rules.is_promising(
                fit + interest, self.weights.threshold, quadrant, bool(blocking)
            ),
            blocking=tuple(blocking.values()),
            lines=(*fit_lines, *interest_lines),
        )

    def _line(self, fact: Fact, as_of: datetime) -> Line:
        rule = self.rules[fact.signal.pk]
        age = (as_of - fact.since).total_seconds()
        factor = rules.decay_factor(age, fact.signal.half_life_days)
        return Line(
            kind=LineKind.FIELD if fact.signal.is_fit else LineKind.EVENT,
            axis=fact.signal.axis,
            group=rule.group,
            exact=float(rule.points) * factor,
            rule=rule,
            occurred_at=fact.since,
            event_id=fact.event_id,
            factor=factor,
        )

    def _close(self, axis: str, all_lines: Sequence[Line]) -> tuple[list[Line], Decimal]:
        """The lines of an axis with those of caps and bounds, in cents, and their sum."""
        lines = [line for line in all_lines if line.axis == axis]
        lines += self._cap_lines(axis, lines)
        raw = sum(line.exact for line in lines)
        floor, ceiling = (float(bound) for bound in self.weights.bounds[axis])
        bounded = rules.clamp(raw, floor, ceiling)
        if bounded != raw:
            kind = LineKind.FLOOR if bounded > raw else LineKind.CEILING
            lines.append(Line(kind, axis, "", bounded - raw))
        total = rules.to_cents(bounded)
        values = rules.shares_in_cents([line.exact for line in lines], total)
        return [replace(ln, value=v) for ln, v in zip(lines, values, strict=True)], total

    def _cap_lines(self, axis: str, lines: Sequence[Line]) -> list[Line]:
        sums: dict[str, float] = defaultdict(float)
        for line in lines:
            sums[line.group] += line.exact
        found = []
        for group, total in sorted(sums.items()):
            cap = self.weights.caps.get((axis, group)) if group else None
            if cap is not None and abs(total) > cap:
                capped = rules.clamp(total, -float(cap), float(cap))
                found.append(Line(LineKind.GROUP_CAP, axis, group, capped - total))
        return found


@dataclass(frozen=True)
class Point:
    """The score at an instant."""

    at: datetime
    fit: Decimal
    interest: Decimal

    @property
    def score(self) -> Decimal:
        return self.fit + self.interest


def score_over_time(
    lead: Lead, days: int = 90, until: datetime | None = None, facts: list[Fact] | None = None
) -> list[Point]:
    """One point a day, oldest first, by its version of today: `days` + 1, or none without one.

    Shows how today's agreement would have judged the past. `facts` of the lead as of
    `until`, if at hand, are not read again.
    """
    version = version_for(lead)
    if version is None:
        return []
    until = until or now()
    ledger = Ledger(version)
    facts = facts_of(lead, until) if facts is None else facts
    instants = [until - timedelta(days=back) for back in range(days, -1, -1)]
    judged = [ledger.at(facts, instant) for instant in instants]
    return [Point(e.as_of, e.fit, e.interest) for e in judged]
