"""The funnel in figures, as plain frozen values. docs/metrics.md defines each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from insights import rules
from insights.filters import Filters
from insights.periods import months_between
from leads.stages import EXITS, FUNNEL, Stage


class StepCount(NamedTuple):
    """How many alike stays began in `stage` in `month` (None: nobody knows when).

    `is_told`: of both ends, or of the only one, the date is known.
    """

    stage: str
    month: date | None
    is_mature: bool
    exit_kind: str
    is_in_window: bool
    is_told: bool
    stay_count: int


class Durations(NamedTuple):
    """How many stays with known times took how long (a code of rules.py), or have so far."""

    stage: str
    is_open: bool
    stay_counts: dict[int, int]


class ReachCount(NamedTuple):
    """How many leads first came to `stage`, within the horizon or not.

    Where the date is unknown they are counted at the latest it can be (`bound` "until") and
    at the earliest ("after"); else once, with bound "".
    """

    stage: str
    is_mature: bool
    is_in_horizon: bool
    bound: str
    lead_count: int


@dataclass(frozen=True)
class StepOutcome:
    """What became of the stays that began in one stage in one month or period.

    `untold`: one of their dates is unknown, so nobody can say what came within the window.
    """

    mature: int = 0
    converted: int = 0
    dropped: int = 0
    immature: int = 0
    immature_converted: int = 0
    untold: int = 0

    @property
    def cohort(self) -> int:
        return self.mature + self.immature

    @property
    def entered(self) -> int:
        return self.cohort + self.untold

    @property
    def undecided(self) -> int:
        return self.mature - self.converted - self.dropped

    @property
    def step_conversion_rate(self) -> float | None:
        return rules.rate(self.converted, self.mature)

    @property
    def drop_off_rate(self) -> float | None:
        return rules.rate(self.dropped, self.mature)

    @property
    def undecided_rate(self) -> float | None:
        return rules.rate(self.undecided, self.mature)


@dataclass(frozen=True)
class TimeInStage:
    """Median and p90 as duration codes; None where too few stays have ended."""

    stay_count: int = 0
    median: int | None = None
    p90: int | None = None
    longest: int = 0


@dataclass(frozen=True)
class StageFigures:
    """All figures of one stage. `exits` counts its stays by how they ended, "" being still open."""

    stage: Stage
    now: int
    step: StepOutcome
    exits: Counter[str]
    time: TimeInStage
    reached: int
    reached_of: int

    @property
    def entered(self) -> int:
        return self.step.entered

    @property
    def is_last(self) -> bool:
        return self.stage == FUNNEL[-1]

    @property
    def advanced(self) -> int:
        return self.exits[rules.MOVED_ON]

    @property
    def open(self) -> int:
        return self.exits[""]

    @property
    def drop_off(self) -> int:
        return sum(self.exits[kind] for kind in rules.DROPS)

    @property
    def ways_out(self) -> list[tuple[str, int]]:
        """Every way out but the next stage, always all of them: (kind, stays)."""
        return [(kind, self.exits[kind]) for kind in (*rules.DROPS, "reopened")]

    @property
    def conversion_rate(self) -> float | None:
        return rules.rate(self.reached, self.reached_of)


@dataclass(frozen=True)
class FunnelReport:
    """One page of figures."""

    filters: Filters
    as_of: datetime
    stages: list[StageFigures]
    resting: dict[Stage, int]  # leads now outside the funnel, by where they left to
    captured: int
    captured_immature: int
    undated: int = 0  # stays of the scope that began nobody knows when
    months: dict[date, dict[str, StepOutcome]] = field(default_factory=dict)

    @property
    def captured_mature(self) -> int:
        return self.captured - self.captured_immature

    @property
    def steps(self) -> list[StageFigures]:
        """The stages that have a next one."""
        return self.stages[:-1]

    @property
    def last(self) -> StageFigures:
        return self.stages[-1]

    @property
    def is_all_young(self) -> bool:
        """Whether stays began in the period, but none is old enough for a rate."""
        return not any(row.step.mature for row in self.steps) and any(
            row.step.immature for row in self.steps
        )

    @property
    def is_empty(self) -> bool:
        return not any(row.entered or row.now for row in self.stages)

    @property
    def leak(self) -> StageFigures | None:
        """The stage that dropped the most stays of the period."""
        worst = max(self.stages, key=lambda row: row.drop_off)
        return worst if worst.drop_off else None


def build_report(
    filters: Filters,
    as_of: datetime,
    *,
    now: dict[str, int],
    steps: Iterable[StepCount],
    durations: Iterable[Durations],
    reaches: Iterable[ReachCount],
    undated: dict[str, int] | None = None,
) -> FunnelReport:
    """Put counted rows together. All counts are of the same scope and snapshot."""
    reaches = list(reaches)
    captured = [row for row in reaches if row.stage == FUNNEL[0]]
    mature = sum(row.lead_count for row in captured if row.is_mature)
    steps_of, times_of = _by_stage(steps), _by_stage(durations)
    stages = [
        StageFigures(
            stage=stage,
            now=now.get(stage, 0),
            step=_step_outcome(steps_of[stage]),
            exits=_exits(steps_of[stage]),
            time=_time_in_stage(times_of[stage]),
            reached=_reached(stage, reaches),
            reached_of=mature - _unsure(stage, reaches),
        )
        for stage in FUNNEL
    ]
    return FunnelReport(
        filters=filters,
        as_of=as_of,
        stages=stages,
        resting={stage: now[stage] for stage in EXITS if now.get(stage)},
        captured=sum(row.lead_count for row in captured),
        captured_immature=sum(row.lead_count for row in captured if not row.is_mature),
        undated=sum((undated or {}).get(stage, 0) for stage in FUNNEL),
        months=_months(steps_of),
    )


def _by_stage(rows: Iterable) -> defaultdict[str, list]:
    grouped: defaultdict[str, list] = defaultdict(list)
    for row in rows:
        grouped[row.stage].append(row)
    return grouped


def _exits(rows: list[StepCount]) -> Counter[str]:
    exits: Counter[str] = Counter()
    for row in rows:
        exits[row.exit_kind] += row.stay_count
    return exits


def _reached(stage: str, reaches: list[ReachCount]) -> int:
    """Leads old enough that were there in time, as far as anybody knows."""
    return _in_horizon(stage, reaches, "") + _in_horizon(stage, reaches, "until")


def _unsure(stage: str, reaches: list[ReachCount]) -> int:
    """Leads old enough that came, but nobody knows whether in time: at the earliest yes, at
    the latest no."""
    return _in_horizon(stage, reaches, "after") - _in_horizon(stage, reaches, "until")


def _in_horizon(stage: str, reaches: list[ReachCount], bound: str) -> int:
    return sum(
        row.lead_count
        for row in reaches
        if row.stage == stage and row.is_mature and row.is_in_horizon and row.bound == bound
    )


def _step_outcome(rows: list[StepCount]) -> StepOutcome:
    count: Counter[tuple[bool, str]] = Counter()
    for row in (row for row in rows if row.is_told):
        fate = "undecided"
        if row.is_in_window:
            fate = rules.fate(row.exit_kind)
        count[row.is_mature, fate] += row.stay_count
    return StepOutcome(
        mature=sum(n for (is_mature, _fate), n in count.items() if is_mature),
        converted=count[True, "converted"],
        dropped=count[True, "dropped"],
        immature=sum(n for (is_mature, _fate), n in count.items() if not is_mature),
        immature_converted=count[False, "converted"],
        untold=sum(row.stay_count for row in rows if not row.is_told),
    )


def _time_in_stage(rows: list[Durations]) -> TimeInStage:
    still_open = next((row.stay_counts for row in rows if row.is_open), {})
    ended = next((row.stay_counts for row in rows if not row.is_open), {})
    curve = rules.survival_curve(ended, still_open)
    return TimeInStage(
        stay_count=sum(ended.values()) + sum(still_open.values()),
        median=rules.quantile(curve, 0.5),
        p90=rules.quantile(curve, 0.9),
        longest=max([*ended, *still_open], default=0),
    )


def _months(steps_of: dict[str, list[StepCount]]) -> dict[date, dict[str, StepOutcome]]:
    """Every month in which something began, first to last, with its steps."""
    months: dict[date, dict[str, list[StepCount]]] = {}
    for stage in FUNNEL:
        for row in steps_of[stage]:
            if row.month:
                months.setdefault(row.month, {}).setdefault(stage, []).append(row)
    if not months:
        return {}
    return {
        month: {stage: _step_outcome(rows) for stage, rows in months.get(month, {}).items()}
        for month in months_between(min(months), max(months))
    }
