"""A stored back-test as its page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scoring import charts
from scoring.backtesting import FEWEST_LEADS, MOST_CAPACITY
from scoring.models import BackTest, Signal
from scoring.outcomes import DISQUALIFIED, LOST, REJECTED, WON

CAPACITY = 20


@dataclass(frozen=True)
class Side:
    """One version: its AUC with interval, and its precision at the capacity chosen.

    `chosen` leads would have been taken, `hits` of them were won.
    """

    number: int
    auc: dict[str, float] | None
    chosen: int
    hits: float
    reached: int
    reached_won: int

    @property
    def precision(self) -> float | None:
        return 100 * self.hits / self.chosen if self.chosen else None

    @property
    def reached_precision(self) -> float | None:
        return 100 * self.reached_won / self.reached if self.reached else None


@dataclass(frozen=True)
class Decile:
    """A tenth of the leads, best first: how many were won, per cent and lift, by each side."""

    place: int
    sides: tuple[tuple[float, float | None], ...]


@dataclass(frozen=True)
class RuleRow:
    """A rule's part: how often it held, what it brought on average, and whom it goes with."""

    label: str
    points: float
    points_in_force: float | None
    won: int
    not_won: int
    lost: int
    mean_won: float | None
    mean_not_won: float | None
    verdict: str
    difference: dict[str, float] | None


@dataclass(frozen=True)
class Page:
    capacity: int
    most_capacity: int
    fewest: int
    counts: tuple[tuple[str, int], ...]
    total: int
    won: int
    frozen: dict[str, int]
    left_out: int
    months: int
    sides: tuple[Side, ...]
    difference: dict[str, float] | None
    deciles: list[Decile]
    chart: charts.PairedBars | None
    rules: list[RuleRow]
    losing: list[RuleRow]

    @property
    def rate(self) -> float:
        """Won, per cent of all: what a ranking by chance would give."""
        return 100 * self.won / self.total if self.total else 0.0


def read(study: BackTest, capacity: int | None) -> Page:
    """What the page shows; `capacity` leads a month, within what was worked out."""
    result = study.result
    chosen = min(max(capacity or CAPACITY, 1), MOST_CAPACITY)
    counts = result["counts"]
    rules = _rules(result["rules"])
    deciles = _deciles(result["sides"])
    return Page(
        capacity=chosen,
        most_capacity=MOST_CAPACITY,
        fewest=FEWEST_LEADS,
        counts=tuple((kind, counts.get(kind, 0)) for kind in (WON, LOST, REJECTED, DISQUALIFIED)),
        total=sum(counts.values()),
        won=counts.get(WON, 0),
        frozen=result["frozen"],
        left_out=result["left_out"],
        months=result["months"],
        sides=tuple(_side(side, chosen) for side in result["sides"]),
        difference=result["difference"],
        deciles=deciles,
        chart=_chart(deciles),
        rules=rules,
        losing=[rule for rule in rules if rule.verdict == "loses" and rule.points > 0],
    )


def _side(side: dict[str, Any], capacity: int) -> Side:
    chosen, hits = side["capacity"][capacity - 1]
    return Side(side["number"], side["auc"], chosen, hits, *side["reached"])


def _deciles(sides: list[dict[str, Any]]) -> list[Decile]:
    parts = zip(*(side["deciles"] for side in sides), strict=True)
    return [
        Decile(place, tuple((100 * part["won"] / part["rows"], part["lift"]) for part in pair))
        for place, pair in enumerate(parts, start=1)
    ]


def _chart(deciles: list[Decile]) -> charts.PairedBars | None:
    """In force beside the version; nothing to compare when the version is in force."""
    if not deciles or len(deciles[0].sides) < 2:
        return None
    return charts.paired_bars(
        [str(decile.place) for decile in deciles],
        [decile.sides[1][0] for decile in deciles],
        [decile.sides[0][0] for decile in deciles],
    )


def _rules(rules: list[dict[str, Any]]) -> list[RuleRow]:
    """Those that tell most first: by what they bring to won leads beyond the others."""
    signals = Signal.objects.in_bulk([rule["signal"] for rule in rules])
    rows = [
        RuleRow(
            label=signals[rule["signal"]].words,
            points=rule["points"],
            points_in_force=rule["points_in_force"],
            **rule["held"],
            mean_won=rule["mean_won"],
            mean_not_won=rule["mean_not_won"],
            verdict=rule["verdict"],
            difference=_in_percent(rule["rate_difference"]),
        )
        for rule in rules
        if rule["signal"] in signals
    ]
    return sorted(rows, key=lambda row: (row.mean_not_won or 0) - (row.mean_won or 0))


def _in_percent(interval: dict[str, float] | None) -> dict[str, float] | None:
    return {name: 100 * value for name, value in interval.items()} if interval else None
