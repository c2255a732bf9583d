"""Which episodes follow from what a file says about a lead. Nothing is invented.

A known date becomes an episode at that date. A stage on the way without one is
a pass-through marked "date unknown". An impossible date is not used: the stage
is entered with the date unknown, and the reason is reported.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from leads.imports.dates import Moment
from leads.imports.notes import Note
from leads.stages import FUNNEL, Move, Stage, path_between
from leads.stages import POSITION as _POSITION

# By plain value: what a file names is a text.
POSITION = {stage.value: place for stage, place in _POSITION.items()}


class Step(NamedTuple):
    """One episode to write. `at` is a bound, not a fact, when `is_date_unknown`."""

    move: Move
    at: datetime
    is_date_unknown: bool
    is_pass_through: bool


@dataclass(frozen=True)
class Told:
    """What one row says. A stage in `undated` was reached, only nobody knows when."""

    dated: Mapping[str, Moment] = field(default_factory=dict)
    undated: Collection[str] = ()
    final: str = ""

    @property
    def furthest(self) -> str:
        """The furthest stage of the funnel the row speaks of; empty when of none."""
        named = [s for s in {*self.dated, *self.undated, self.final} if s in POSITION]
        return max(named, key=POSITION.__getitem__, default="")

    @property
    def way_out(self) -> str:
        return self.final if self.final in NEEDED_BEFORE else ""


@dataclass(frozen=True)
class Place:
    """Where a lead stands now. `stage` is "" and `since` None before the first episode."""

    stage: str = ""
    since: datetime | None = None
    # `since` is only a bound: nobody knows when the lead entered its stage.
    is_since_unknown: bool = False
    reached: frozenset[str] = frozenset()


# A lead can leave by this door only after it has reached that stage.
NEEDED_BEFORE = {
    Stage.LOST.value: Stage.SAL.value,
    Stage.CHURNED.value: Stage.CUSTOMER.value,
    Stage.DISQUALIFIED.value: Stage.LEAD.value,
}


def plan(place: Place, told: Told, *, now: datetime) -> tuple[list[Step], list[Note]]:
    """The steps that bring a lead from `place` to where the file says it is.

    Returns (steps, notes): at least the first step for a new lead, none when the
    lead has reached everything already. `now` is the bound when no date is known.
    """
    targets = _targets(place, told)
    planner = _Planner(place, told, now)
    for stage in targets:
        if not planner.go(stage, is_last=stage == targets[-1]):
            last = Note("stage_not_applied", {"stage": targets[-1], "current": planner.stage})
            return planner.steps, [*planner.notes, last]
    return planner.steps, planner.notes


def _targets(place: Place, told: Told) -> list[str]:
    """The stages to enter, in order: those the row names and the lead never reached."""
    named = {*told.dated, *told.undated, told.final} & set(POSITION)
    if not place.stage:
        named.add(Stage.LEAD.value)
    if told.way_out:
        needed = NEEDED_BEFORE[told.way_out]
        if not any(POSITION.get(s, 0) >= POSITION[needed] for s in named | place.reached):
            named.add(needed)
    wanted = [stage.value for stage in FUNNEL if stage in named - place.reached]
    if told.way_out and told.way_out not in place.reached:
        wanted.append(told.way_out)
    return wanted


class _Planner:
    def __init__(self, place: Place, told: Told, now: datetime) -> None:
        self.stage, self.since = place.stage, place.since
        self.is_since_unknown = place.is_since_unknown
        self.told, self.now = told, now
        self.steps: list[Step] = []
        self.notes: list[Note] = []

    def go(self, stage: str, *, is_last: bool) -> bool:
        """Enter `stage`; False when there is no legal way to it."""
        if POSITION.get(stage, 9) <= POSITION.get(self.stage, 0):
            return True  # gone past it already
        path = path_between(self.stage, stage)
        if not path or path[0].starts_cycle:
            return False
        known = self._known(stage)
        at = known or self._bound()
        for move in path[:-1]:
            self._step(move, at, is_date_unknown=True, is_pass_through=True)
        is_unknown = known is None
        self._step(
            path[-1], at, is_date_unknown=is_unknown, is_pass_through=is_unknown and not is_last
        )
        return True

    def _step(self, move: Move, at: datetime, **flags: bool) -> None:
        self.steps.append(Step(move, at, **flags))
        self.stage, self.since = move.to_stage, at
        self.is_since_unknown = flags["is_date_unknown"]

    def _known(self, stage: str) -> datetime | None:
        """The date the row gives for `stage`, unless it is impossible; then a note says why."""
        moment = self.told.dated.get(stage)
        if moment is None:
            return None
        params = {"stage": stage, "date": moment.day.isoformat()}
        if moment.at > self.now:
            self.notes.append(Note("date_in_future", params))
            return None
        if self.since is None or moment.at >= self.since:
            return moment.at
        since = self.since.astimezone(moment.at.tzinfo).date()
        if not moment.has_time and moment.day == since:
            return self.since  # the same day: a day without a time does not contradict
        code = "date_before_bound" if self.is_since_unknown else "date_before_stage"
        params |= {"entered": self.stage, "since": since.isoformat()}
        self.notes.append(Note(code, params))
        return None

    def _bound(self) -> datetime:
        """An instant for a stage whose date nobody knows: the last known one, else the next."""
        if self.since is not None:
            return self.since
        known = [moment.at for moment in self.told.dated.values() if moment.at <= self.now]
        return min(known, default=self.now)
