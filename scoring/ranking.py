"""How well a score puts those who were won before those who were not. Pure arithmetic.

Everywhere `scores` and `won` are sequences of one length: points, and whether it was won.
Equal scores share their outcomes evenly, so no result depends on the order of the rows.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import NormalDist

# Two-sided, 95 %.
Z = NormalDist().inv_cdf(0.975)
DECILES = 10


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95 % confidence interval."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Slice:
    """A part of the ranking, best first: how many rows, how many of them won (expected among
    ties), and its win rate against that of all rows (None when nothing was won)."""

    rows: int
    won: float
    lift: float | None


def auc(scores: Sequence[float], won: Sequence[bool]) -> float | None:
    """The chance that a won row has more points than one that was not; ties count half.

    None without both kinds (Mann–Whitney U, divided by the number of pairs).
    """
    parts = _placements(scores, won)
    return sum(parts[0]) / len(parts[0]) if parts else None


def auc_interval(scores: Sequence[float], won: Sequence[bool]) -> Interval | None:
    """The AUC with its interval after DeLong, DeLong and Clarke-Pearson (1988)."""
    parts = _placements(scores, won)
    if parts is None:
        return None
    value = sum(parts[0]) / len(parts[0])
    deviation = math.sqrt(sum(_variance(part) / len(part) for part in parts))
    return Interval(value, max(0.0, value - Z * deviation), min(1.0, value + Z * deviation))


def auc_difference(
    scores: Sequence[float], others: Sequence[float], won: Sequence[bool]
) -> Interval | None:
    """By how much `scores` rank the same rows better than `others` do (DeLong, paired)."""
    mine, theirs = _placements(scores, won), _placements(others, won)
    if mine is None or theirs is None:
        return None
    apart = [[a - b for a, b in zip(*pair, strict=True)] for pair in zip(mine, theirs, strict=True)]
    value = sum(apart[0]) / len(apart[0])
    deviation = math.sqrt(sum(_variance(part) / len(part) for part in apart))
    return Interval(value, value - Z * deviation, value + Z * deviation)


def _placements(
    scores: Sequence[float], won: Sequence[bool]
) -> tuple[list[float], list[float]] | None:
    """For each won row the share of others below it, and for each other the share above it."""
    winners = sorted(s for s, is_won in zip(scores, won, strict=True) if is_won)
    others = sorted(s for s, is_won in zip(scores, won, strict=True) if not is_won)
    if not winners or not others:
        return None
    above = {s: _share_below(others, s) for s in set(winners)}
    below = {s: 1 - _share_below(winners, s) for s in set(others)}
    # In the order of the rows: a comparison of two rankings pairs them.
    return (
        [above[s] for s, is_won in zip(scores, won, strict=True) if is_won],
        [below[s] for s, is_won in zip(scores, won, strict=True) if not is_won],
    )


def _share_below(ascending: Sequence[float], value: float) -> float:
    return (bisect_left(ascending, value) + bisect_right(ascending, value)) / (2 * len(ascending))


def _variance(values: Sequence[float]) -> float:
    if len(values) < 2:
        return 0.0
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)


def deciles(scores: Sequence[float], won: Sequence[bool]) -> list[Slice]:
    """Ten parts of the ranking, as equal as they can be, best first; fewer for fewer rows."""
    ranked = _ranked(scores, won)
    rate = sum(ranked) / len(ranked) if ranked else 0.0
    slices = []
    for place in range(DECILES):
        first, last = (len(ranked) * edge // DECILES for edge in (place, place + 1))
        part = ranked[first:last]
        if part:
            lift = sum(part) / len(part) / rate if rate else None
            slices.append(Slice(len(part), sum(part), lift))
    return slices


def best_of_each(
    scores: Sequence[float], won: Sequence[bool], groups: Sequence[Hashable], most: int
) -> list[tuple[int, float]]:
    """The n best of each group, together: (rows, won) for n = 1 … `most`.

    With months as groups, won / rows is the precision when there is time for n leads a month.
    """
    by_group: dict[Hashable, list[tuple[float, bool]]] = defaultdict(list)
    for score, is_won, group in zip(scores, won, groups, strict=True):
        by_group[group].append((score, is_won))
    rows, hits = [0] * most, [0.0] * most
    for members in by_group.values():
        ranked = _ranked(*zip(*members, strict=True))
        for place, share in enumerate(ranked[:most]):
            rows[place] += 1
            hits[place] += share
    return list(zip(accumulate(rows), accumulate(hits), strict=True))


def _ranked(scores: Sequence[float], won: Sequence[bool]) -> list[float]:
    """The share won of each row's ties, best score first."""
    ties: dict[float, list[int]] = defaultdict(lambda: [0, 0])
    for score, is_won in zip(scores, won, strict=True):
        tie = ties[score]
        tie[0] += 1
        tie[1] += bool(is_won)
    return [
        tie[1] / tie[0]
        for _score, tie in sorted(ties.items(), reverse=True)
        for _row in range(tie[0])
    ]


def wilson(part: float, whole: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927)."""
    share = part / whole
    middle = share + Z**2 / (2 * whole)
    spread = Z * math.sqrt(share * (1 - share) / whole + Z**2 / (4 * whole**2))
    return (middle - spread) / (1 + Z**2 / whole), (middle + spread) / (1 + Z**2 / whole)


def share_difference(part: int, whole: int, other_part: int, other_whole: int) -> Interval:
    """How much greater the first share is (Newcombe, 1998: from two Wilson intervals)."""
    one, other = part / whole, other_part / other_whole
    low, high = wilson(part, whole)
    other_low, other_high = wilson(other_part, other_whole)
    value = one - other
    return Interval(
        value,
        value - math.hypot(one - low, other_high - other),
        value + math.hypot(high - one, other - other_low),
    )


def stability_index(before: Sequence[int], now: Sequence[int]) -> float | None:
    """How far two histograms over the same bins lie apart (population stability index, PSI).

    Σ (p − q) · ln(p / q), each bin with half a row more so that empty ones have a logarithm.
    Commonly read: below 0.1 the same, up to 0.25 some drift, above much. None for an empty one.
    """
    if not sum(before) or not sum(now):
        return None
    shares = [
        [(count + 0.5) / (sum(counts) + 0.5 * len(counts)) for count in counts]
        for counts in (before, now)
    ]
    return sum((q - p) * math.log(q / p) for p, q in zip(*shares, strict=True))
