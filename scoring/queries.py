"""What the pages of the score show. Reads only."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Max

from leads.models import Lead, Standing
from scoring import drafting
from scoring.ledger import (
    Explanation,
    Ledger,
    Line,
    Point,
    basis_of,
    facts_of,
    score_over_time,
)
from scoring.models import FailedLead, ModelVersion, Publication, Rule, Signal
from scoring.vocabulary import Axis
from scoring.wording import describe_adjustment, describe_rule
from tracking.events import describe as describe_kind
from tracking.models import Event

MOST_EVENTS = 25


@dataclass(frozen=True)
class CountedEvent:
    """One event behind a rule's points. `left` is what decay left of it, in per cent."""

    occurred_at: datetime
    title: str
    points: Decimal
    left: int
    value: Decimal


@dataclass(frozen=True)
class RuleLines:
    """All lines of one rule, or one adjustment (cap, floor, ceiling), with their sum."""

    label: str
    value: Decimal
    count: int = 0
    points: Decimal | None = None
    latest_at: datetime | None = None
    events: tuple[CountedEvent, ...] = ()
    is_blocking: bool = False

    @property
    def hidden_count(self) -> int:
        return self.count - len(self.events) if self.events else 0


@dataclass(frozen=True)
class AxisLines:
    """One axis of an explanation; the values of its rows add up to `total`."""

    axis: Axis
    total: Decimal
    cut: Decimal
    rows: tuple[RuleLines, ...]


@dataclass(frozen=True)
class Panel:
    """Everything the "why this score" panel shows."""

    explanation: Explanation
    axes: tuple[AxisLines, ...]
    history: tuple[Point, ...]
    sparkline: str
    quadrant_label: str
    missing: Decimal


def panel(lead: Lead, as_of: datetime | None = None) -> Panel | None:
    """The explanation of a lead's score, rows with the most weight first. About 8 queries."""
    basis = basis_of(lead, as_of)
    if basis is None:
        return None
    version, as_of = basis
    facts = facts_of(lead, as_of)
    explanation = Ledger(version).at(facts, as_of)
    titles = _titles(explanation.lines)
    history = tuple(score_over_time(lead, until=as_of, facts=facts))
    return Panel(
        explanation=explanation,
        axes=(
            _axis(Axis.FIT, explanation.fit, version.fit_cut, explanation.lines, titles),
            _axis(
                Axis.INTEREST, explanation.interest, version.interest_cut, explanation.lines, titles
            ),
        ),
        history=history,
        sparkline=sparkline([float(point.score) for point in history]),
        quadrant_label=str(Standing.Quadrant(explanation.quadrant).label),
        missing=max(version.threshold - explanation.score, Decimal(0)),
    )


def _titles(lines: tuple[Line, ...]) -> dict[int, str]:
    """What to call each event: its page or name, else its kind."""
    ids = [line.event_id for line in lines if line.event_id]
    rows = Event.objects.filter(pk__in=ids).values_list("pk", "kind", "path", "title", "name")
    return {
        pk: (path or title or name or str(describe_kind(kind).label))
        for pk, kind, path, title, name in rows
    }


def _axis(
    axis: Axis, total: Decimal, cut: Decimal, lines: tuple[Line, ...], titles: dict[int, str]
) -> AxisLines:
    by_rule: dict[int, list[Line]] = defaultdict(list)
    adjustments = []
    for line in lines:
        if line.axis == axis and line.rule:
            by_rule[line.rule.pk].append(line)
        elif line.axis == axis:
            adjustments.append(RuleLines(describe_adjustment(line), line.value))
    rows = [_rule_lines(some, titles) for some in by_rule.values()]
    rows.sort(key=lambda row: (-abs(row.value), row.label))
    return AxisLines(axis, total, cut, (*rows, *adjustments))


def _rule_lines(lines: list[Line], titles: dict[int, str]) -> RuleLines:
    rule = lines[0].rule
    assert rule is not None
    newest = [line for line in reversed(lines) if line.event_id][:MOST_EVENTS]
    return RuleLines(
        label=rule.signal.words,
        value=sum((line.value for line in lines), Decimal(0)),
        count=len(lines),
        points=rule.points,
        latest_at=max((line.occurred_at for line in lines if line.occurred_at), default=None),
        events=tuple(
            CountedEvent(
                occurred_at=line.occurred_at,
                title=titles.get(line.event_id, ""),
                points=rule.points,
                left=round(line.factor * 100),
                value=line.value,
            )
            for line in newest
            if line.occurred_at and line.event_id
        ),
        is_blocking=rule.is_blocking,
    )


def sparkline(values: list[float], width: int = 300, height: int = 48) -> str:
    """The points of an SVG polyline, the value 0 at the lower edge."""
    if len(values) < 2:
        return ""
    low, high = min(*values, 0.0), max(*values, 1.0)
    step, scale = width / (len(values) - 1), height / (high - low)
    return " ".join(
        f"{i * step:.1f},{height - (v - low) * scale:.1f}" for i, v in enumerate(values)
    )


@dataclass(frozen=True)
class RuleInWords:
    """A rule of the agreement as people read it."""

    rule: Rule
    sentence: str


@dataclass(frozen=True)
class GroupOfRules:
    """Rules that share a cap (None: they share nothing)."""

    name: str
    cap: Decimal | None
    rules: tuple[RuleInWords, ...]


@dataclass(frozen=True)
class Agreement:
    """A model version for the scoring page. `axes`: (label, groups)."""

    version: ModelVersion
    axes: tuple[tuple[str, tuple[GroupOfRules, ...]], ...]


def agreement(version: ModelVersion) -> Agreement:
    """A version's rules in plain sentences, by axis and group: two queries."""
    caps = {(cap.axis, cap.group): cap.cap for cap in version.caps.all()}
    rules = list(version.rules.select_related("signal"))
    axes = []
    for axis in Axis:
        groups: dict[str, list[RuleInWords]] = defaultdict(list)
        for rule in rules:
            if rule.signal.axis == axis:
                groups[rule.group].append(RuleInWords(rule, describe_rule(rule)))
        found = tuple(
            GroupOfRules(name, caps.get((axis, name)), tuple(groups[name]))
            for name in sorted(groups, key=lambda name: (name == "", name))
        )
        axes.append((str(axis.label), found))
    return Agreement(version, tuple(axes))


@dataclass(frozen=True)
class Draft:
    version: ModelVersion
    changes: list[drafting.Change]


def drafts() -> list[Draft]:
    """Versions that are not in force yet, newest first, with what they change."""
    State = ModelVersion.State
    waiting = ModelVersion.objects.filter(
        state__in=[State.DRAFT, State.IN_REVIEW, State.SIGNED]
    ).select_related("based_on", "model")
    return [Draft(version, drafting.changes_of(version)) for version in waiting]


@dataclass(frozen=True)
class Progress:
    """How far work on all leads is: `done`, 0..1, of counting new signals."""

    publication: Publication | None
    counting: Signal | None
    done: float


def progress() -> Progress | None:
    """The publication or the counting of a new signal under way; None when all is quiet."""
    publication = Publication.objects.select_related("version").filter(finished_at=None).first()
    counting = Signal.objects.filter(counted_at=None).order_by("ordinal").first()
    if publication is None and counting is None:
        return None
    newest = Lead.objects.aggregate(newest=Max("pk"))["newest"] or 0
    done = counting.counted_to_lead_id / newest if counting and newest else 1.0
    return Progress(publication, counting, done)


def past_versions() -> list[ModelVersion]:
    retired = ModelVersion.objects.filter(state=ModelVersion.State.RETIRED)
    return list(retired.select_related("published_by")[:20])


def failed_count() -> int:
    return FailedLead.objects.count()
