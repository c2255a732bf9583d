"""What would lift a lead over the threshold: pure search on plain values. No Django, no clock.

It tries things that could still happen, alone, in pairs and step by step, with the arithmetic
of rules.py, so caps, ceilings, cuts and frequency limits hold for what it proposes, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations

from scoring import rules

MOST_WAYS = 5
MOST_TIMES = 5  # how often one thing is proposed at most
MOST_STEPS = 6  # of a way that needs many things
MOST_OPTIONS = 30
AXES = ("fit", "interest")

# (axis, group) → points, before the cap of the group
Sums = Mapping[tuple[str, str], float]


@dataclass(frozen=True)
class Books:
    """What a lead's lines add up to now, and by what they are bounded."""

    sums: Sums
    caps: Mapping[tuple[str, str], Decimal]
    bounds: Mapping[str, tuple[Decimal, Decimal]]
    cuts: Mapping[str, Decimal]
    threshold: Decimal
    is_blocked: bool = False


@dataclass(frozen=True)
class Option:
    """Something that might happen: each time it adds `points` to a group.

    `most`: how often it could count now (None: without limit). `fields`: what would have to
    become known. `ends`: lines that would end with it, by any name, as (axis, group, points).
    """

    key: int
    axis: str
    group: str
    points: float
    most: int | None = None
    fields: frozenset[str] = frozenset()
    ends: Mapping[str, tuple[str, str, float]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Outcome:
    fit: Decimal
    interest: Decimal
    is_promising: bool

    @property
    def score(self) -> Decimal:
        return self.fit + self.interest


@dataclass(frozen=True)
class Way:
    """Things that together make the lead promising, each with how often, and what comes of it."""

    steps: tuple[tuple[Option, int], ...]
    outcome: Outcome

    @property
    def effort(self) -> int:
        return sum(times for _option, times in self.steps)


def outcome_of(books: Books, steps: Iterable[tuple[Option, int]] = ()) -> Outcome:
    """The score after these things happened."""
    sums: dict[tuple[str, str], float] = defaultdict(float, books.sums)
    ended: dict[str, tuple[str, str, float]] = {}
    for option, times in steps:
        sums[option.axis, option.group] += option.points * times
        ended |= option.ends
    for axis, group, points in ended.values():
        sums[axis, group] -= points
    fit, interest = (_total(books, axis, sums) for axis in AXES)
    place = rules.quadrant(fit, interest, books.cuts["fit"], books.cuts["interest"])
    is_promising = rules.is_promising(fit + interest, books.threshold, place, books.is_blocked)
    return Outcome(fit, interest, is_promising)


def _total(books: Books, axis: str, sums: Sums) -> Decimal:
    by_group = {group: points for (of, group), points in sums.items() if of == axis}
    caps = {group: float(cap) for (of, group), cap in books.caps.items() if of == axis}
    floor, ceiling = map(float, books.bounds[axis])
    return rules.to_cents(rules.clamp(rules.capped_sum(by_group, caps), floor, ceiling))


def ways_up(books: Books, options: Iterable[Option]) -> list[Way]:
    """What would make the lead promising, the least effort first; nothing if it is, or is blocked.

    Pairs only of things that do not do alone; a longer way only where no shorter one is found.
    """
    if books.is_blocked or outcome_of(books).is_promising:
        return []
    able = [o for o in options if o.points > 0 and o.most != 0]
    able = sorted(able, key=lambda o: (-o.points, o.key))[:MOST_OPTIONS]
    alone = [way for option in able if (way := _repeated(books, option))]
    ways = sorted(alone, key=_rank)
    if len(ways) < MOST_WAYS:
        enough = {way.steps[0][0].key for way in alone}
        others = [option for option in able if option.key not in enough]
        ways += sorted(_pairs(books, others), key=_rank)
    if not ways and (longer := _step_by_step(books, able)):
        ways = [longer]
    return ways[:MOST_WAYS]


def _rank(way: Way) -> tuple:
    return way.effort, way.outcome.score, [option.key for option, _times in way.steps]


def _limit(option: Option, otherwise: int = MOST_TIMES) -> int:
    return otherwise if option.most is None else min(option.most, otherwise)


def _repeated(books: Books, option: Option) -> Way | None:
    """The least number of times that one thing alone would do."""
    for times in range(1, _limit(option) + 1):
        found = outcome_of(books, [(option, times)])
        if found.is_promising:
            return Way(((option, times),), found)
    return None


def _pairs(books: Books, options: Sequence[Option]) -> list[Way]:
    """Two different things, each once, that do together and ask for different fields."""
    found = []
    for one, other in combinations(options, 2):
        if one.fields & other.fields:
            continue
        steps = ((one, 1), (other, 1))
        outcome = outcome_of(books, steps)
        if outcome.is_promising:
            found.append(Way(steps, outcome))
    return found


def _step_by_step(books: Books, options: Sequence[Option]) -> Way | None:
    """The thing that brings the lead closest, again and again; None where that leads nowhere."""
    taken: dict[Option, int] = {}
    for _step in range(MOST_STEPS):
        tried = [taken | {o: taken.get(o, 0) + 1} for o in options if _may_follow(o, taken)]
        if not tried:
            return None
        best = min(tried, key=lambda steps: _distance(books, outcome_of(books, steps.items())))
        if _distance(books, outcome_of(books, best.items())) >= _distance(
            books, outcome_of(books, taken.items())
        ):
            return None
        taken, found = best, outcome_of(books, best.items())
        if found.is_promising:
            return Way(tuple(taken.items()), found)
    return None


def _may_follow(option: Option, taken: Mapping[Option, int]) -> bool:
    is_free = all(not option.fields & other.fields for other in taken if other != option)
    return is_free and taken.get(option, 0) < _limit(option)


def _distance(books: Books, found: Outcome) -> Decimal:
    """How many points are missing, to the threshold and to both cuts."""
    return (
        max(books.threshold - found.score, Decimal(0))
        + max(books.cuts["fit"] - found.fit, Decimal(0))
        + max(books.cuts["interest"] - found.interest, Decimal(0))
    )
