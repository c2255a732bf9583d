"""How a lead's score came about over time: by which version, day by day, and what moved it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.timezone import localdate

from scoring.ledger import Fact, Ledger, Point
from scoring.models import ModelVersion

DAYS = 90


def versions_until(version: ModelVersion) -> list[ModelVersion]:
    """This version and those of its model that were in force before it, oldest first."""
    if version.published_at is None:
        return [version]
    published = ModelVersion.objects.filter(
        model=version.model_id, published_at__lte=version.published_at
    )
    return list(published.order_by("published_at", "number"))


def in_force_at(versions: Sequence[ModelVersion], instant: datetime) -> ModelVersion:
    """The one that was in force then; before the first, the first."""
    known = [v for v in versions if v.published_at and v.published_at <= instant]
    return known[-1] if known else versions[0]


@dataclass(frozen=True)
class Move:
    """What moved the score on a day: (when, rule in words, points, event id or None)."""

    at: datetime
    words: str
    points: float
    event_id: int | None


@dataclass(frozen=True)
class Day:
    """A day's end (today: this instant): the score then, and what moved it during the day."""

    point: Point
    version: ModelVersion
    moves: tuple[Move, ...]
    is_break: bool  # another version than the day before


def history(facts: Sequence[Fact], versions: Sequence[ModelVersion], until: datetime) -> list[Day]:
    """DAYS + 1 days, oldest first, each judged by the version that was in force then."""
    ledgers: dict[int, Ledger] = {}
    moves = _moves_by_day(facts)
    days: list[Day] = []
    for back in range(DAYS, -1, -1):
        instant = until - timedelta(days=back)
        version = in_force_at(versions, instant)
        if version.pk not in ledgers:
            ledgers[version.pk] = Ledger(version)
        ledger = ledgers[version.pk]
        judged = ledger.at(facts, instant)
        days.append(
            Day(
                point=Point(judged.as_of, judged.fit, judged.interest),
                version=version,
                moves=_worth(moves, _span(instant), ledger),
                is_break=bool(days) and days[-1].version.pk != version.pk,
            )
        )
    return days


def _span(instant: datetime) -> tuple[datetime, datetime]:
    return instant - timedelta(days=1), instant


def _moves_by_day(facts: Sequence[Fact]) -> dict[date, list[tuple[datetime, Fact, int]]]:
    """Beginnings (+1) and ends (−1) of what counts, by the local day."""
    found: dict[date, list[tuple[datetime, Fact, int]]] = defaultdict(list)
    for fact in facts:
        found[localdate(fact.since)].append((fact.since, fact, 1))
        if fact.until:
            found[localdate(fact.until)].append((fact.until, fact, -1))
    return found


def _worth(
    moves: dict[date, list[tuple[datetime, Fact, int]]],
    span: tuple[datetime, datetime],
    ledger: Ledger,
) -> tuple[Move, ...]:
    """Those within (after, up to] that this version gives points."""
    after, up_to = span
    near = [m for day in {localdate(after), localdate(up_to)} for m in moves.get(day, ())]
    found = []
    for at, fact, sign in near:
        rule = ledger.rules.get(fact.signal.pk)
        if rule is not None and after < at <= up_to:
            points = sign * float(rule.points)
            found.append(Move(at, rule.signal.words, points, fact.event_id if sign > 0 else None))
    return tuple(sorted(found, key=lambda move: (move.at, move.event_id or 0)))
