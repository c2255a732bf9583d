"""Scores a lead while its story is told, so that the story never contradicts the score.

The same arithmetic as scoring/folding.py, event by event: whoever the active
model would call promising becomes an MQL at that event, and nobody else does.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings

from funnel_app.demo.happenings import MACHINE, Happening
from scoring.formula import Weights
from scoring.models import ModelVersion, Signal
from scoring.rules import FIRST_MONDAY, SECONDS_PER_DAY, holds
from scoring.vocabulary import Axis, Frequency

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
Known = Mapping[str, str | Decimal | None]


@dataclass(frozen=True)
class Counter:
    """An interest signal, as far as counting needs it."""

    ordinal: int
    conditions: tuple[dict[str, Any], ...]
    frequency: str
    max_count: int
    period_days: int
    distinct_field: str


class Worth(NamedTuple):
    """What one more hit of a signal is worth. `half_life` in days."""

    points: float
    group: str
    half_life: float | None
    is_blocking: bool


class Gauge:
    """A published model version, ready to score happenings."""

    def __init__(self, weights: Weights, signals: Sequence[Signal], zone: tzinfo) -> None:
        self.number, self.zone = weights.number, zone
        self.worths = {
            w.ordinal: Worth(float(w.points), w.group, w.half_life_days, w.is_blocking)
            for w in weights.rules
        }
        self.threshold = float(weights.threshold)
        self.cuts = {axis: float(cut) for axis, cut in weights.cuts.items()}
        self._bounds = {a: (float(low), float(high)) for a, (low, high) in weights.bounds.items()}
        self._caps = {key: float(cap) for key, cap in weights.caps.items()}
        self._fit = [_counter(s) for s in signals if s.axis == Axis.FIT]
        self._interest: dict[str, list[Counter]] = defaultdict(list)
        for signal in signals:
            if signal.axis == Axis.INTEREST:
                self._interest[signal.event_kind].append(_counter(signal))
        self._seen: dict[tuple[str, str, str], tuple[Counter, ...]] = {}
        self._met: dict[tuple[object, ...], bool] = {}

    @classmethod
    def of_active_version(cls) -> Gauge | None:
        """The gauge of the version in force; None when no version is."""
        version = ModelVersion.objects.active()
        if version is None:
            return None
        signals = list(Signal.objects.filter(rules__version=version).order_by("ordinal"))
        return cls(Weights.of(version), signals, ZoneInfo(settings.REPORTING_TIME_ZONE))

    def fit_of(self, known: Known) -> tuple[float, bool]:
        """(points of fit, whether something blocks) of a lead with these fields."""
        met = [self.worths[c.ordinal] for c in self._fit if self._is_met(c, known)]
        sums: dict[str, float] = defaultdict(float)
        for worth in met:
            sums[worth.group] += worth.points
        return self.points(Axis.FIT, sums), any(worth.is_blocking for worth in met)

    def _is_met(self, counter: Counter, known: Known) -> bool:
        """Remembered, because thousands share a title or a country."""
        key = (counter.ordinal, *(known.get(c["field"]) for c in counter.conditions))
        if key not in self._met:
            self._met[key] = _all_hold(counter.conditions, known)
        return self._met[key]

    def points(self, axis: str, by_group: Mapping[str, float]) -> float:
        """The sums of an axis, each group within its cap, the whole within its bounds."""
        total = 0.0
        for group, value in by_group.items():
            cap = self._caps.get((axis, group)) if group else None
            total += value if cap is None else max(-cap, min(cap, value))
        low, high = self._bounds[axis]
        return max(low, min(high, total))

    def counters_for(self, happening: Happening) -> tuple[Counter, ...]:
        """The signals whose conditions this happening meets."""
        if happening.verdict >= MACHINE or happening.kind not in self._interest:
            return ()
        key = (happening.kind, happening.path, happening.title)
        if key not in self._seen:
            known = {"path": happening.path or None, "title": happening.title or None}
            self._seen[key] = tuple(
                c for c in self._interest[happening.kind] if _all_hold(c.conditions, known)
            )
        return self._seen[key]


def _counter(signal: Signal) -> Counter:
    return Counter(
        signal.ordinal,
        tuple(signal.conditions),
        signal.frequency,
        signal.max_count if signal.frequency == Frequency.PER_PERIOD else 1,
        signal.period_days,
        signal.distinct_field,
    )


def _all_hold(conditions: tuple[dict[str, Any], ...], known: Known) -> bool:
    return all(holds(c["operator"], c.get("value"), known.get(c["field"])) for c in conditions)


class Meter:
    """The score of one lead, event by event in order of time.

    Sums are kept as they would be at `EPOCH`, so that nothing has to be decayed
    between events: what is left of them at t is sum · 2^(-(t - EPOCH) / half-life).
    """

    __slots__ = ("_may_be_hot", "_places", "_sums", "fit", "gauge", "is_blocked")

    def __init__(self, gauge: Gauge, known: Known) -> None:
        self.gauge = gauge
        self.fit, self.is_blocked = gauge.fit_of(known)
        self.reset()

    def reset(self) -> None:
        """Forget all that happened."""
        self._sums: dict[int, float] = {}
        self._places: dict[tuple[int, object], int] = {}
        self._may_be_hot = False

    def copy(self) -> Meter:
        """The same score, to try something out on."""
        twin = copy.copy(self)
        twin._sums, twin._places = self._sums.copy(), self._places.copy()
        return twin

    @property
    def fits(self) -> bool:
        return self.fit >= self.gauge.cuts[Axis.FIT] and not self.is_blocked

    def would_promise(self, happening: Happening) -> bool:
        """Whether the lead is promising right after `happening`."""
        fresh = self._fresh(happening)
        if not fresh and not self._may_be_hot:
            return False
        return self._promises_at(happening.at, fresh)

    def promises_at(self, at: datetime) -> bool:
        """Whether the lead is promising at `at`, if nothing happens until then."""
        return self._may_be_hot and self._promises_at(at, [])

    def take(self, happening: Happening) -> None:
        """Count `happening`."""
        for counter in self._fresh(happening):
            self._may_be_hot = True
            place = (counter.ordinal, self._bucket(counter, happening))
            self._places[place] = self._places.get(place, 0) + 1
            half_life = self.gauge.worths[counter.ordinal].half_life
            amount = 1.0 if half_life is None else 2.0 ** (_days(happening.at) / half_life)
            self._sums[counter.ordinal] = self._sums.get(counter.ordinal, 0.0) + amount

    def interest_at(self, at: datetime, fresh: Sequence[Counter] = ()) -> float:
        """Points of interest at `at`, with one more hit of each signal in `fresh`."""
        worths, days = self.gauge.worths, _days(at)
        sums: dict[str, float] = defaultdict(float)
        for ordinal, amount in self._sums.items():
            points, group, half_life, _blocks = worths[ordinal]
            left = 1.0 if half_life is None else 2.0 ** (-days / half_life)
            sums[group] += points * amount * left
        for counter in fresh:
            sums[worths[counter.ordinal].group] += worths[counter.ordinal].points
        return round(self.gauge.points(Axis.INTEREST, sums), 2)

    def _promises_at(self, at: datetime, fresh: Sequence[Counter]) -> bool:
        if not self.fits:
            return False
        gauge, interest = self.gauge, self.interest_at(at, fresh)
        is_hot = interest >= gauge.cuts[Axis.INTEREST] and (self.fit + interest >= gauge.threshold)
        if not fresh:
            self._may_be_hot = is_hot  # it cools until the next hit
        return is_hot

    def _fresh(self, happening: Happening) -> list[Counter]:
        """The signals for which it counts, those that are full left out."""
        return [
            counter
            for counter in self.gauge.counters_for(happening)
            if counter.frequency == Frequency.EVERY
            or self._places.get((counter.ordinal, self._bucket(counter, happening)), 0)
            < counter.max_count
        ]

    def _bucket(self, counter: Counter, happening: Happening) -> object:
        if counter.frequency == Frequency.PER_DISTINCT:
            name = counter.distinct_field
            if name.startswith("properties."):
                return happening.properties.get(name.removeprefix("properties."), "")
            return getattr(happening, name, "")
        if counter.frequency == Frequency.PER_PERIOD:
            day = happening.at.astimezone(self.gauge.zone).date()
            return (day - FIRST_MONDAY).days // counter.period_days
        return None


def _days(at: datetime) -> float:
    return (at - EPOCH).total_seconds() / SECONDS_PER_DAY
