"""What a version would change against what is in force now, before anybody signs it.

Two passes over the features in SQL, written nowhere: one counts cells of the comparison of
all leads, the other counts who would enter or leave by owner and origin. Memory holds counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from leads.channels import Channel
from leads.models import Lead, Standing
from scoring import crossing, folding, rescore
from scoring.choosing import among
from scoring.formula import Weights, scores_query
from scoring.in_force import leads_of
from scoring.models import ModelVersion
from users.models import User

ENTER, LEAVE = "enter", "leave"
OTHERS = "others"
BINS = 24
# Owners, channels and sources that are named; the rest is counted together.
MOST_NAMED = 25


@dataclass(frozen=True)
class Bin:
    """Scores from `low` up to below `high`: how many leads have one now, and would have."""

    low: Decimal
    high: Decimal
    before: int
    after: int


@dataclass(frozen=True)
class QuadrantChange:
    quadrant: str
    before: int
    after: int

    @property
    def label(self) -> str:
        return str(Standing.Quadrant(self.quadrant).label)


@dataclass(frozen=True)
class Turn:
    """Of one owner or origin: how many enter, leave, and would be handed off at once.

    `key` is what the lists narrow by ("" for none).
    """

    key: str
    label: str
    enter: int
    leave: int
    handed_off: int


@dataclass(frozen=True)
class Load:
    """What is on a rep's desk: `open_count` of hand-offs that wait and leads in work."""

    open_count: int
    capacity: int


@dataclass(frozen=True)
class RepLoad:
    """A rep's desk with what the version would add. `rep` None: given out by turn."""

    rep: User | None
    new_count: int
    load: Load | None

    @property
    def total(self) -> int:
        return self.new_count + (self.load.open_count if self.load else 0)

    @property
    def is_too_much(self) -> bool:
        return self.load is not None and bool(self.new_count) and self.total > self.load.capacity


@dataclass(frozen=True)
class Preview:
    """The whole comparison. `handed_off_count` of those that enter wait as Qualified leads."""

    version: ModelVersion
    lead_count: int
    enter_count: int
    leave_count: int
    stay_count: int
    handed_off_count: int
    bins: list[Bin]
    quadrants: list[QuadrantChange]
    by_owner: list[Turn] = field(default_factory=list)
    by_channel: list[Turn] = field(default_factory=list)
    by_source: list[Turn] = field(default_factory=list)
    loads: list[RepLoad] = field(default_factory=list)

    @property
    def changes_nothing(self) -> bool:
        return not self.enter_count and not self.leave_count


# Who knows how much work reps have: {rep: load} of those who take hand-offs. Sales fills it.
_workload: list[Callable[[], dict[User, Load]]] = []


def register_workload(workload: Callable[[], dict[User, Load]]) -> None:
    _workload[:] = [workload]


# The lead's score now beside the one it would have; `was` and `will`: may become an MQL.
COMPARED = """
    SELECT fresh.lead_id, fresh.score, fresh.quadrant, fresh.is_promising AS will,
           coalesce(s.score, 0) AS score_before, coalesce(s.quadrant, 'neither') AS quadrant_before,
           coalesce(s.is_promising, false) AS was
      FROM ({fresh}) fresh LEFT JOIN leads_standing s ON s.lead_id = fresh.lead_id"""


@transaction.atomic
def preview(version: ModelVersion, user: User) -> Preview:
    """Compare the version with what is in force, for all leads of its model.

    The treaty holds for all leads, so all are counted, also those that `user` does not see;
    owners whose leads `user` does not see are counted together.
    """
    rescore.set_limits()
    weights = Weights.of(version)
    members = leads_of(version)
    params = members.values | {"as_of": folding.database_instant()}
    compared = COMPARED.format(fresh=scores_query(weights, f"f.lead_id {members.sql}"))
    low, width = _scale(weights)
    tally = _Tally(low, width)
    tally.read(compared, params)
    turns = _turns(compared, params)
    owners = {owner for owner, *_rest in turns if owner}
    people = User.objects.in_bulk(owners)
    return Preview(
        version=version,
        lead_count=tally.leads,
        enter_count=sum(n for *_key, change, _waits, n in turns if change == ENTER),
        leave_count=sum(n for *_key, change, _waits, n in turns if change == LEAVE),
        stay_count=tally.stay_count,
        handed_off_count=sum(n for *_key, change, waits, n in turns if change == ENTER and waits),
        bins=tally.bins(),
        quadrants=tally.quadrants(),
        by_owner=_by_owner(turns, people, user),
        by_channel=_by(turns, 1, {key: str(label) for key, label in Channel.choices}),
        by_source=_by(turns, 2, {}),
        loads=_loads(turns),
    )


def _scale(weights: Weights) -> tuple[int, int]:
    """The lowest score and the width of a bin, in whole points, so that all scores fit in."""
    low = int(sum(bounds[0] for bounds in weights.bounds.values()))
    high = int(sum(bounds[1] for bounds in weights.bounds.values()))
    width = max(1, -(-(high - low) // BINS))
    return low // width * width, width


class _Tally:
    """Counts of the first pass: a row for each combination of bins, quadrants and flags."""

    def __init__(self, low: int, width: int) -> None:
        self.low, self.width = low, width
        self.leads = 0
        self.before: Counter[int] = Counter()
        self.after: Counter[int] = Counter()
        self.quadrant_before: Counter[str] = Counter()
        self.quadrant_after: Counter[str] = Counter()
        self.stay_count = 0

    def read(self, compared: str, params: dict[str, Any]) -> None:
        place = "least(greatest(floor(({} / 100.0 - %(low)s) / %(width)s)::int, 0), %(last)s)"
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT {place.format("score_before")}, {place.format("score")},
                       quadrant_before, quadrant, was, will, count(*)
                  FROM ({compared}) compared GROUP BY 1, 2, 3, 4, 5, 6
                """,
                params | {"low": self.low, "width": self.width, "last": BINS},
            )
            for before, after, quadrant_before, quadrant, was, will, count in cursor:
                self.leads += count
                self.before[before] += count
                self.after[after] += count
                self.quadrant_before[quadrant_before] += count
                self.quadrant_after[quadrant] += count
                self.stay_count += count if was and will else 0

    def bins(self) -> list[Bin]:
        """From the lowest bin that holds anybody to the highest."""
        held = [place for place in range(BINS + 1) if self.before[place] or self.after[place]]
        if not held:
            return []
        return [
            Bin(
                Decimal(self.low + place * self.width),
                Decimal(self.low + (place + 1) * self.width),
                self.before[place],
                self.after[place],
            )
            for place in range(held[0], held[-1] + 1)
        ]

    def quadrants(self) -> list[QuadrantChange]:
        return [
            QuadrantChange(name, self.quadrant_before[name], self.quadrant_after[name])
            for name in Standing.Quadrant.values
        ]


# (owner, channel, source, change, waits as a Qualified lead, how many)
_Turns = list[tuple[int | None, str, str, str, bool, int]]


def _turns(compared: str, params: dict[str, Any]) -> _Turns:
    """The second pass: who would enter or leave, by owner and origin."""
    waiting = among(crossing.waiting_leads(), "waiting")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH turned AS MATERIALIZED (
                SELECT lead_id, will FROM ({compared}) compared WHERE was <> will)
            SELECT l.owner_id, l.channel, l.source,
                   CASE WHEN will THEN '{ENTER}' ELSE '{LEAVE}' END,
                   l.id {waiting.sql}, count(*)
              FROM turned JOIN leads_lead l ON l.id = turned.lead_id
             GROUP BY 1, 2, 3, 4, 5
            """,
            params | waiting.values,
        )
        return cursor.fetchall()


def _by(turns: _Turns, column: int, labels: dict[str, str]) -> list[Turn]:
    keys = [str(turn[column] or "") for turn in turns]
    return _group(turns, keys, {key: labels.get(key, key) for key in keys})


def _by_owner(turns: _Turns, people: dict[int, User], user: User) -> list[Turn]:
    """Owners by name where the reader sees their leads; the others together, as "others"."""
    seen = Lead.objects.visible_to(user).filter(owner=OuterRef("pk")).order_by()
    known = set(User.objects.filter(Exists(seen), pk__in=people).values_list("pk", flat=True))
    keys = [
        "" if owner is None else str(owner) if owner in known else OTHERS for owner, *_rest in turns
    ]
    return _group(turns, keys, {str(pk): str(person) for pk, person in people.items()})


def _group(turns: _Turns, keys: Sequence[str], labels: dict[str, str]) -> list[Turn]:
    """Most turns first; beyond MOST_NAMED together."""
    counts: dict[str, Counter[str]] = {}
    for key, (*_where, change, waits, count) in zip(keys, turns, strict=True):
        counts.setdefault(key, Counter())[change] += count
        if change == ENTER and waits:
            counts[key]["handed_off"] += count
    ranked = sorted(counts, key=lambda key: (-counts[key][ENTER] - counts[key][LEAVE], key))
    rows = [_turn(key, labels.get(key, ""), [counts[key]]) for key in ranked[:MOST_NAMED]]
    if rest := ranked[MOST_NAMED:]:
        rows.append(_turn(OTHERS, "", [counts[key] for key in rest]))
    return rows


def _turn(key: str, label: str, counts: Iterable[Counter[str]]) -> Turn:
    total: Counter[str] = sum(counts, Counter())
    return Turn(key, label, total[ENTER], total[LEAVE], total["handed_off"])


def _loads(turns: _Turns) -> list[RepLoad]:
    """New hand-offs beside the work that reps have; those without a rep as owner come last."""
    new: Counter[int | None] = Counter()
    for owner, _channel, _source, change, waits, count in turns:
        if change == ENTER and waits:
            new[owner] += count
    reps = _workload[0]() if _workload else {}
    rows = [RepLoad(rep, new.pop(rep.pk, 0), load) for rep, load in reps.items()]
    rows.sort(key=lambda row: (-row.new_count, str(row.rep)))
    by_turn = sum(new.values())
    return [*rows, RepLoad(None, by_turn, None)] if by_turn else rows
