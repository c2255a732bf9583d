"""How a lead's score came about over time: by which version, day by day, and what moved it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from django.utils.timezone import localdate

from scoring.ledger import Fact, Ledger, Point
from scoring.models import DEFAULT_MODEL_ID, ModelVersion, Publication

DAYS = 90
NEVER = datetime.min.replace(tzinfo=UTC)


class InForce(NamedTuple):
    """From `since` on, until the next one, this version scored the lead."""

    since: datetime
    version: ModelVersion


def versions_of(lead_id: int, version: ModelVersion) -> list[InForce]:
    """By what a lead was scored that this version scores now, oldest first; never empty.

    A version that was brought back stands here once for each time. Before a model for some
    leads had its first version, the model for all others scored them. Whoever changed from
    one model to another since is told by the model of today.
    """
    known = _came(lead_id, version.model_id or DEFAULT_MODEL_ID)
    if version.model_id != DEFAULT_MODEL_ID:
        began = known[0].since if known else NEVER
        known = [v for v in _came(lead_id, DEFAULT_MODEL_ID) if v.since < began] + known
    return known or [InForce(NEVER, version)]


def _came(lead_id: int, model_id: int) -> list[InForce]:
    """When which version of a model began to score this lead, oldest first."""
    published = ModelVersion.objects.filter(model=model_id).exclude(published_at=None)
    # The version that came with the product was never asked to be published.
    given = published.exclude(publications__is_rollback=False)
    came = [(v.published_at, v) for v in given]
    asked = Publication.objects.filter(version__model=model_id).exclude(activated_at=None)
    came += [(p.activated_at, p.version) for p in asked.select_related("version")]
    ordered = sorted((at, v.number, v) for at, v in came if at)
    return [InForce(at, _scoring(lead_id, v)) for at, _number, v in ordered]


def _scoring(lead_id: int, version: ModelVersion) -> ModelVersion:
    """While `version` is active: itself, or the one that it left this lead to."""
    while version.after_lead_id is not None and lead_id <= version.after_lead_id:
        assert version.replaces is not None  # PostgreSQL holds that
        version = version.replaces
    return version


def in_force_at(versions: Sequence[InForce], instant: datetime) -> ModelVersion:
    """The one that was in force then; before the first, the first."""
    known = [v.version for v in versions if v.since <= instant]
    return known[-1] if known else versions[0].version


def was_in_force(version: ModelVersion, versions: Sequence[InForce], instant: datetime) -> bool:
    """Whether it was this version that scored the lead then."""
    has_begun = versions[0].since <= instant
    return has_begun and in_force_at(versions, instant).pk == version.pk


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
    was_in_force: bool  # else it is reckoned back by the first version
    comes_into_force: bool  # a break, or the first day on which any version was in force


def history(
    facts: Sequence[Fact],
    versions: Sequence[InForce],
    until: datetime,
    known_since: datetime = NEVER,
    at_hand: Ledger | None = None,
) -> list[Day]:
    """DAYS + 1 days, oldest first, each judged by the version that was in force then.

    Days before the lead was known are left out. A ledger that is `at_hand` is not read again.
    """
    ledgers = {at_hand.version.pk: at_hand} if at_hand else {}
    moves = _moves_by_day(facts)
    days: list[Day] = []
    for back in range(DAYS, -1, -1):
        instant = until - timedelta(days=back)
        if instant < known_since:
            continue
        version = in_force_at(versions, instant)
        if version.pk not in ledgers:
            ledgers[version.pk] = Ledger(version)
        ledger = ledgers[version.pk]
        judged = ledger.at(facts, instant)
        was = was_in_force(version, versions, instant)
        is_break = bool(days) and days[-1].version.pk != version.pk
        days.append(
            Day(
                point=Point(judged.as_of, judged.fit, judged.interest),
                version=version,
                moves=_worth(moves, _span(instant), ledger),
                is_break=is_break,
                was_in_force=was,
                comes_into_force=is_break or (bool(days) and was and not days[-1].was_in_force),
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
