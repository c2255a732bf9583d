"""What happened between marketing and sales, as records, and the walk that tells it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, NoReturn

from funnel_app.demo.prospects import Person
from funnel_app.demo.seasons import at_work
from leads.stages import EntryKind, Move, Stage, moves_from

MOVES_FROM = {stage: moves_from(stage) for stage in ("", *Stage.values)}


class Later(Exception):
    """What would come next lies in the future: the story rests here."""


@dataclass(slots=True)
class Step:
    """One stage episode. `by` is "rule", "marketer", "rep" or "system"."""

    move: Move
    cycle: int
    at: datetime
    by: str
    reason: str = ""
    is_pass_through: bool = False
    is_override: bool = False
    not_before_on: date | None = None  # of a step back to nurture


@dataclass(slots=True)
class Proposal:
    """A hand-off: proposed with the step into MQL, perhaps decided."""

    cycle: int
    submitted_at: datetime
    state: str = "submitted"
    decided_at: datetime | None = None
    reason_code: str = ""
    note: str = ""
    not_before_on: date | None = None
    fit: float = 0
    interest: float = 0  # both as they were at submission


@dataclass(slots=True)
class Finding:
    """One BANT answer."""

    cycle: int
    letter: str
    verdict: str
    evidence: str
    at: datetime


@dataclass(slots=True)
class Deal:
    """An opportunity; `worth` in euro."""

    cycle: int
    opened_at: datetime
    product: int
    worth: float
    probability: int
    expected_close_on: date
    demo_on: date | None = None
    pricing_on: date | None = None
    nda_on: date | None = None
    outcome: str = "open"
    closed_at: datetime | None = None
    reason: str = ""


@dataclass(slots=True)
class Journey:
    """All that happened with one lead between marketing and sales."""

    steps: list[Step] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    consent_at: datetime | None = None
    is_worked: bool = False  # a rep accepted the lead at least once

    @property
    def stage(self) -> str:
        return self.steps[-1].move.to_stage

    @property
    def not_before_on(self) -> date | None:
        """As on the lead: set by the newest step out of the funnel or back."""
        back = [step for step in self.steps if step.move.kind != EntryKind.ADVANCED]
        return back[-1].not_before_on if back else None

    def times_of(self, stage: str) -> list[datetime]:
        return [step.at for step in self.steps if step.move.to_stage == stage]


class Walk:
    """Walks a person through the stages with dice, or with the fate of a fixed part."""

    def __init__(self, person: Person, rng: Random, end: datetime) -> None:
        self.person, self.rng, self.end = person, rng, end
        self.at = person.known_at
        self.stage, self.cycle = "", 1
        self.journey = Journey()
        role = person.role
        self.fate = role.story.fate if role else {}
        self.rests = role.story.rests if role else ""

    def happens(self, question: str, chance: float) -> bool:
        """Whether it comes true: by fate if the part says so, else by the dice."""
        return self.fate.get(question, self.rng.random() < chance)

    def wait(
        self, days: float, spread: float = 0.6, at_most: float = 60, office: bool = False
    ) -> datetime:
        """Let about `days` (a median) pass; raises Later when that is after today.

        People with a fixed part wait `at_most` days, so that they reach their end in time.
        """
        passed = self.rng.lognormvariate(math.log(days), spread)
        at = self.at + timedelta(days=min(passed, at_most) if self.fate else passed)
        if office:
            at = at_work(at, self.person.country.zone, self.rng)
        return self.until(at)

    def until(self, at: datetime) -> datetime:
        if at >= self.end:
            raise Later
        self.at = max(at, self.at)
        return self.at

    def rest(self) -> NoReturn:
        """Nothing more happens with this person until today."""
        raise Later

    def draw(self, options: tuple[tuple[str, int], ...]) -> str:
        """One of (what, how often)."""
        return self.rng.choices([what for what, _n in options], [n for _what, n in options])[0]

    def move(self, stage: str, by: str, reason: str = "", **more: Any) -> Step:
        move = MOVES_FROM[self.stage][stage]
        self.cycle += move.starts_cycle
        self.stage = stage
        step = Step(move, self.cycle, self.at, by, reason, **more)
        self.journey.steps.append(step)
        # Sales still has something to do there; and each first cycle passes Qualified.
        is_under_way = stage in (Stage.MQL, Stage.SAL, Stage.SQL) or (
            stage == Stage.QUALIFIED and self.cycle == 1
        )
        if stage == self.rests and not is_under_way:
            raise Later
        return step
