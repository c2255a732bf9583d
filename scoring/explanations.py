"""Why a lead has its score, for pages and files: lines, history, what would lift it. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from leads.lead_queries import known_since, stage_at
from leads.models import Lead, Standing
from scoring import cooling
from scoring.ledger import Explanation, Fact, Ledger, Line, basis_of, facts_of
from scoring.score_chart import Chart, draw
from scoring.score_history import (
    Day,
    InForce,
    history,
    in_force_at,
    versions_of,
    was_in_force,
)
from scoring.suggesting import Suggestion, suggestions
from scoring.vocabulary import Axis
from scoring.wording import describe_adjustment
from tracking.events import describe as describe_kind
from tracking.models import Event

MOST_EVENTS = 25  # of one rule, in the panel; the ledger has all
PAGE_SIZE = 100  # lines of the ledger on one page


class NotKnownThen(Exception):
    """A lead has no score at an instant before it was known: unknown is not 0."""

    def __init__(self, as_of: datetime, known_since: datetime) -> None:
        super().__init__(f"known since {known_since}, asked for {as_of}")
        self.as_of, self.known_since = as_of, known_since


@dataclass(frozen=True)
class Basis:
    """What an explanation was made from.

    `was_in_force`: whether its version scored the lead at that instant. It did not where the
    past is reckoned back, or told by the rules of today.
    """

    explanation: Explanation
    ledger: Ledger
    facts: list[Fact]
    versions: list[InForce]
    known_since: datetime
    was_in_force: bool


def basis(lead: Lead, as_of: datetime | None = None, *, by_today: bool = False) -> Basis | None:
    """The books of a lead: of its standing, or of a past instant; None while nothing scores it.

    A past score is told by the version that was in force then, or, `by_today`, by the one that
    scores the lead now. Raises NotKnownThen for an instant before the lead was known.
    """
    beginning = known_since(lead)
    if as_of is not None and as_of < beginning:
        raise NotKnownThen(as_of, beginning)
    found = basis_of(lead, as_of)
    if found is None:
        return None
    version, instant = found
    versions = versions_of(lead.pk, version)
    if as_of is not None and not by_today:
        version = in_force_at(versions, instant)
    facts = facts_of(lead, instant)
    ledger = Ledger(version)
    was = was_in_force(version, versions, instant)
    return Basis(ledger.at(facts, instant), ledger, facts, versions, beginning, was)


# --- The panel ------------------------------------------------------------------


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
    days: tuple[Day, ...]
    chart: Chart | None
    quadrant_label: str
    missing: Decimal
    lifts: list[Suggestion]
    cooled: cooling.Cooled | None
    is_past: bool
    was_in_force: bool


def panel(lead: Lead, books: Basis, *, is_past: bool = False) -> Panel:
    """The explanation of a lead's score, rows with the most weight first. About 8 queries.

    What would lift the score is only told of today's. Whether the lead had cooled is judged by
    the stage of that instant, and only by rules that were in force: others asked nothing of it.
    """
    why, version = books.explanation, books.explanation.version
    titles = _titles(_shown_events(why.lines))
    days = tuple(history(books.facts, books.versions, why.as_of, books.known_since, books.ledger))
    stage = stage_at(lead, why.as_of) if is_past else lead.stage
    is_judged = books.was_in_force or not is_past
    return Panel(
        explanation=why,
        axes=(
            _axis(Axis.FIT, why.fit, version.fit_cut, why.lines, titles),
            _axis(Axis.INTEREST, why.interest, version.interest_cut, why.lines, titles),
        ),
        days=days,
        chart=draw(days),
        quadrant_label=str(Standing.Quadrant(why.quadrant).label),
        missing=max(version.threshold - why.score, Decimal(0)),
        lifts=[] if is_past else suggestions(lead, books.ledger, books.facts, why),
        cooled=cooling.judge(stage, why.score, version) if is_judged else None,
        is_past=is_past,
        was_in_force=books.was_in_force,
    )


def _shown_events(lines: Sequence[Line]) -> set[int]:
    """The events that the panel names: the newest of each rule."""
    by_rule: dict[int, list[int]] = defaultdict(list)
    for line in lines:
        if line.rule and line.event_id:
            by_rule[line.rule.pk].append(line.event_id)
    return {pk for ids in by_rule.values() for pk in ids[-MOST_EVENTS:]}


def _titles(event_ids: Iterable[int]) -> dict[int, str]:
    """What to call each event: its page or name, else its kind."""
    rows = Event.objects.filter(pk__in=list(event_ids))
    return {
        pk: (path or title or name or str(describe_kind(kind).label))
        for pk, kind, path, title, name in rows.values_list("pk", "kind", "path", "title", "name")
    }


def _axis(
    axis: Axis, total: Decimal, cut: Decimal, lines: Sequence[Line], titles: dict[int, str]
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


# --- The whole ledger -----------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """A line of the ledger as people read it; `sum_so_far` is that of all lines up to it."""

    number: int
    axis: Axis
    what: str
    title: str
    line: Line
    sum_so_far: Decimal

    @property
    def left(self) -> float | None:
        """What decay left, in per cent; None for caps, floors and ceilings."""
        return self.line.factor * 100 if self.line.rule else None


@dataclass(frozen=True)
class LedgerPage:
    """Some lines of the ledger, and what those before them add up to."""

    entries: list[Entry]
    number: int
    count: int
    carried: Decimal
    line_count: int

    @property
    def before(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def after(self) -> int | None:
        return self.number + 1 if self.number < self.count else None


def ledger_page(explanation: Explanation, number: int) -> LedgerPage:
    """A page of the whole ledger, counted from 1; the nearest one when there is no such page."""
    lines = explanation.lines
    count = max(1, -(-len(lines) // PAGE_SIZE))
    number = min(max(number, 1), count)
    first = (number - 1) * PAGE_SIZE
    carried = sum((line.value for line in lines[:first]), Decimal(0))
    entries = list(_entries(lines[first : first + PAGE_SIZE], first, carried))
    return LedgerPage(entries, number, count, carried, len(lines))


def all_entries(explanation: Explanation) -> Iterator[Entry]:
    for first in range(0, len(explanation.lines), PAGE_SIZE):
        page = ledger_page(explanation, first // PAGE_SIZE + 1)
        yield from page.entries


def _entries(lines: Sequence[Line], first: int, carried: Decimal) -> Iterator[Entry]:
    titles = _titles(line.event_id for line in lines if line.event_id)
    for number, line in enumerate(lines, start=first + 1):
        carried += line.value
        what = line.rule.signal.words if line.rule else describe_adjustment(line)
        title = titles.get(line.event_id, "") if line.event_id else ""
        yield Entry(number, Axis(line.axis), what, title, line, carried)
