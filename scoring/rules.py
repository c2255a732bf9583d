"""The arithmetic of the score, on plain values. No Django, no clock, no settings.

Order: which events count (frequency) → points → decay at an instant → group cap
→ sum → floor and ceiling → rounded once, to cents. formula.py says the same in
SQL for all leads at once; tests hold both equal to a slow, independent oracle.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import zip_longest
from typing import Any, NamedTuple

CENT = Decimal("0.01")
# 2^-500 is nothing; and twice decayed it still is a number, which PostgreSQL insists on.
LEAST_EXPONENT = -500.0
# Periods are counted from a Monday, so that periods of 7 days are weeks.
FIRST_MONDAY = date(1970, 1, 5)
SECONDS_PER_DAY = 86400.0
# What adding the same numbers in another order may change, in cents; never to be seen.
NOISE = 1e-6
HALF_A_CENT = 0.5 + NOISE

# --- Does a condition hold? ---------------------------------------------------

TRUE_WORDS = ("true", "yes", "1")
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,10})?")
# What is known and does not meet the other operator.
NEGATIONS = {"does_not_contain": "contains", "does_not_match": "matches"}
_FOLD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def folded(text: str) -> str:
    """Lower-case A to Z only, as PostgreSQL does it in the collation "C"."""
    return text.translate(_FOLD)


def as_texts(value: str | Sequence[str]) -> list[str]:
    """One text or several, as a list, without outer blanks."""
    return [text.strip() for text in ([value] if isinstance(value, str) else value)]


def text_pattern(operator: str, values: Sequence[str]) -> str:
    """A regular expression that means the same to PostgreSQL and to Python."""
    alternatives = "|".join(re.escape(value) for value in values)
    if operator == "has_word":
        return f"(?<![a-z0-9_])({alternatives})(?![a-z0-9_])"
    return f"^({alternatives})" if operator == "starts_with" else f"({alternatives})"


def glob_pieces(pattern: str) -> list[str]:
    """What stands between the stars of a pattern."""
    return re.split(r"\*+", pattern)


def glob_matches(pattern: str, text: str) -> bool:
    """Whether the whole text is the pattern, in which * stands for anything, also nothing.

    Each piece is taken at its first place, so no text makes it go back and try again.
    """
    first, *middle_and_last = glob_pieces(pattern)
    if not middle_and_last:
        return text == first
    *middle, last = middle_and_last
    if not text.startswith(first) or len(text) < len(first) + len(last):
        return False
    place, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return text.endswith(last)


def like_pattern(pattern: str) -> str:
    """The same for PostgreSQL's LIKE."""
    pieces = (re.sub(r"([\\%_])", r"\\\1", piece) for piece in glob_pieces(pattern))
    return "%".join(pieces)


def holds(operator: str, wanted: Any, known: str | Decimal | None) -> bool:
    """Whether what is known meets the condition. Unknown (None) meets only `is_unknown`."""
    if operator in ("is_known", "is_unknown"):
        return (known is None) == (operator == "is_unknown")
    if known is None:
        return False
    if operator in ("at_least", "at_most", "between"):
        return _number_holds(operator, wanted, known)
    return _text_holds(operator, wanted, folded(str(known)))


def _number_holds(operator: str, wanted: Any, known: str | Decimal) -> bool:
    if isinstance(known, str) and not _NUMBER.fullmatch(known):
        return False
    number = Decimal(known)
    if operator == "between":
        return Decimal(str(wanted[0])) <= number <= Decimal(str(wanted[1]))
    bound = Decimal(str(wanted))
    return number >= bound if operator == "at_least" else number <= bound


def _text_holds(operator: str, wanted: Any, known: str) -> bool:
    if operator == "is_true":
        return known in TRUE_WORDS
    values = [folded(value) for value in as_texts(wanted)]
    if operator in ("is", "is_one_of"):
        return known in values
    if operator in ("is_not", "is_none_of"):
        return known not in values
    if operator in NEGATIONS:
        return not _text_holds(NEGATIONS[operator], wanted, known)
    if operator == "matches":
        return any(glob_matches(value, known) for value in values)
    return re.search(text_pattern(operator, values), known) is not None


# --- Which events count? ------------------------------------------------------


@dataclass(frozen=True, order=True)
class Occurrence:
    """A matching event. `distinct` is the value of the field it is counted once per."""

    occurred_at: datetime
    event_id: int
    distinct: str = ""


def counted(
    occurrences: Iterable[Occurrence],
    *,
    frequency: str,
    max_count: int = 1,
    period_days: int = 1,
    zone: tzinfo,
) -> list[Occurrence]:
    """Those that count, in their order of time. The earliest count, whatever arrived first."""
    places: dict[object, int] = defaultdict(int)
    chosen = []
    at_most = {"every": None, "per_period": max_count}.get(frequency, 1)
    for occurrence in sorted(occurrences):
        bucket = _bucket(occurrence, frequency, period_days, zone)
        places[bucket] += 1
        if at_most is None or places[bucket] <= at_most:
            chosen.append(occurrence)
    return chosen


def _bucket(occurrence: Occurrence, frequency: str, period_days: int, zone: tzinfo) -> object:
    if frequency == "per_distinct":
        return occurrence.distinct
    if frequency == "per_period":
        local_day = occurrence.occurred_at.astimezone(zone).date()
        return (local_day - FIRST_MONDAY).days // period_days
    return None


class Held(NamedTuple):
    """An occurrence counts from `since` on, until `until` (None: for ever)."""

    event_id: int
    since: datetime
    until: datetime | None


def within_window(chosen: Sequence[Occurrence], days: int, *, only_newest: bool) -> list[Held]:
    """Each counts for so many days; where one of those alike counts, until a newer one comes."""
    held = []
    for place, one in enumerate(chosen):
        until = one.occurred_at + timedelta(days=days)
        later = (o.occurred_at for o in chosen[place + 1 :] if o.distinct == one.distinct)
        if only_newest:
            until = min(until, next(later, until))
        if one.occurred_at < until:
            held.append(Held(one.event_id, one.occurred_at, until))
    return held


def silences(occurrences: Iterable[Occurrence], least_days: int) -> list[Held]:
    """When nothing had happened for so many days, after each occurrence until the next."""
    ordered = sorted(occurrences)
    held = []
    for one, following in zip_longest(ordered, ordered[1:]):
        since = one.occurred_at + timedelta(days=least_days)
        until = following.occurred_at if following else None
        if until is None or since < until:
            held.append(Held(one.event_id, since, until))
    return held


# --- What are they worth? -----------------------------------------------------


def decay_factor(age_seconds: float, half_life_days: int | None) -> float:
    """What is left of an event's points at this age: 1 at once, ½ after a half-life."""
    if half_life_days is None:
        return 1.0
    return 2.0 ** max(-age_seconds / SECONDS_PER_DAY / half_life_days, LEAST_EXPONENT)


def clamp(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))


def capped_sum(by_group: Mapping[str, float], caps: Mapping[str, float]) -> float:
    """The groups' sums, each within ± its cap; the group "" and groups without cap are free."""
    return sum(
        clamp(value, -caps[group], caps[group]) if group and group in caps else value
        for group, value in sorted(by_group.items())
    )


def to_cents(value: float) -> Decimal:
    """Rounded half up, a hair of noise below the half included."""
    return math.floor(value * 100 + HALF_A_CENT) * CENT


def shares_in_cents(values: Sequence[float], total: Decimal) -> list[Decimal]:
    """Round each value down or up to cents so that together they are exactly `total`.

    The cents that rounding down leaves over go to the largest remainders.
    `total` must be the rounded sum of the values.
    """
    floors = [math.floor(value * 100 + NOISE) for value in values]
    missing = int(total / CENT) - sum(floors)
    order = sorted(range(len(floors)), key=lambda i: (floors[i] - values[i] * 100, i))
    for place in range(missing):
        floors[order[place % len(order)]] += 1
    return [cents * CENT for cents in floors]


# --- Who deserves time? -------------------------------------------------------


def quadrant(fit: Decimal, interest: Decimal, fit_cut: Decimal, interest_cut: Decimal) -> str:
    """both, fit, interest or neither; a cut belongs to its upper side."""
    is_fit, is_interested = fit >= fit_cut, interest >= interest_cut
    if is_fit and is_interested:
        return "both"
    if is_fit:
        return "fit"
    return "interest" if is_interested else "neither"


def is_promising(score: Decimal, threshold: Decimal, place: str, is_blocked: bool) -> bool:
    """Whether a lead may become an MQL: score, quadrant, and nothing that blocks."""
    return score >= threshold and place == "both" and not is_blocked
