"""A second opinion on every figure: slow, plain Python over whole histories.

Written from docs/metrics.md, on purpose without periods.py, rules.py and SQL.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.insights.histories import History

FUNNEL = ("lead", "qualified", "mql", "sal", "sql", "customer")
DROPS = ("recycled", "disqualified", "lost", "churned")


@dataclass(frozen=True)
class Stay:
    """`entered_at` is only a bound when nobody knows it (`is_dated` is False)."""

    stage: str
    entered_at: datetime
    left_at: datetime | None
    exit_kind: str
    is_timed: bool
    is_dated: bool
    is_end_dated: bool


class Oracle:
    """All figures of a period [first, last] of local days, as of `now`.

    `is_ever`: of all time, so that stays without a known date are counted as reached, too.
    """

    def __init__(
        self,
        histories,
        first: date,
        last: date,
        window: int,
        horizon: int,
        now,
        zone,
        is_ever=False,
    ):
        self.is_ever = is_ever
        self.zone = ZoneInfo(zone)
        self.first, self.last, self.window, self.horizon, self.now = (
            first,
            last,
            window,
            horizon,
            now,
        )
        # A merge that was taken apart is as if it had never been.
        self.histories = [as_never_merged(h) for h in histories if h.steps[-1].stage != "merged"]
        self.stays = [stay for history in self.histories for stay in stays_of(history)]

    def day(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    def is_in_period(self, instant: datetime) -> bool:
        return self.first <= self.day(instant) <= self.last

    def is_mature(self, instant: datetime, days: int) -> bool:
        """The whole local day is at least `days` times 24 hours ago."""
        midnight = datetime.combine(
            self.day(instant) + timedelta(days=1), time.min, tzinfo=self.zone
        )
        return midnight.timestamp() + days * 86_400 <= self.now.timestamp()

    def entered(self, stage: str) -> list[Stay]:
        return [
            s
            for s in self.stays
            if s.stage == stage
            and (self.is_in_period(s.entered_at) if s.is_dated else self.is_ever)
        ]

    def undated(self) -> int:
        """Stays in a stage of the funnel of which nobody knows when they began."""
        return sum(not s.is_dated for s in self.stays if s.stage in FUNNEL)

    def step(self, stage: str) -> dict[str, int]:
        entered = self.entered(stage)
        stays = [s for s in entered if s.is_dated and s.is_end_dated]
        mature = [s for s in stays if self.is_mature(s.entered_at, self.window)]
        in_time = [s for s in mature if s.left_at and self.took(s) < self.window * 86_400]
        return {
            "entered": len(entered),
            "untold": len(entered) - len(stays),
            "mature": len(mature),
            "converted": sum(s.exit_kind == "advanced" for s in in_time),
            "dropped": sum(s.exit_kind in DROPS for s in in_time),
            "immature": len(stays) - len(mature),
        }

    @staticmethod
    def took(stay: Stay) -> float:
        return stay.left_at.timestamp() - stay.entered_at.timestamp()

    def exits(self, stage: str) -> Counter:
        return Counter(s.exit_kind for s in self.entered(stage))

    def now_in(self, stage: str) -> int:
        return sum(history.steps[-1].stage == stage for history in self.histories)

    def reached(self, stage: str) -> tuple[int, int]:
        """(leads old enough of which it is known, of these: came in time)."""
        known = [h for h in self.histories if not h.steps[0].is_date_unknown]
        captured = [h for h in known if self.is_in_period(h.steps[0].entered_at)]
        mature = [h for h in captured if self.is_mature(h.steps[0].entered_at, self.horizon)]
        told = [self.came_in_time(history, stage) for history in mature]
        return sum(answer is not None for answer in told), sum(answer is True for answer in told)

    def came_in_time(self, history: History, stage: str) -> bool | None:
        """Whether the lead came to the stage within the horizon; None if nobody can know.

        It came after the last known date before, and before the next known one.
        """
        stages = [step.stage for step in history.steps]
        if stage not in stages:
            return False
        first = stages.index(stage)
        limit = history.steps[0].entered_at.timestamp() + self.horizon * 86_400
        dated = [(i, s.entered_at) for i, s in enumerate(history.steps) if not s.is_date_unknown]
        if any(i >= first and when.timestamp() < limit for i, when in dated):
            return True
        if any(i <= first and when.timestamp() >= limit for i, when in dated):
            return False
        return None

    def hours_by(self, stage: str, share: float) -> tuple[int, float | None]:
        """(stays with known times, hours by which `share` of them ended) by Kaplan–Meier."""
        stays = [s for s in self.entered(stage) if s.is_timed]
        times = []
        for stay in stays:
            if stay.left_at:
                hours = int(self.took(stay) // 3600)
                times.append((hours if hours < 72 else hours // 24 * 24, True))
            else:
                days = (self.day(self.now) - self.day(stay.entered_at)).days - 1
                times.append((max(days, 0) * 24, False))
        return len(stays), kaplan_meier(times, share)


def kaplan_meier(times: list[tuple[int, bool]], share: float) -> int | None:
    surviving = 1.0
    for moment in sorted({hours for hours, has_ended in times if has_ended}):
        at_risk = sum(hours >= moment for hours, _ended in times)
        ended = sum(hours == moment and has_ended for hours, has_ended in times)
        surviving *= (at_risk - ended) / at_risk
        if surviving <= 1 - share + 1e-9:
            return moment
    return None


def as_never_merged(history: History) -> History:
    """Without the merges, and without the returns from them."""
    before = [None, *history.steps]
    kept = [
        step
        for step, previous in zip(history.steps, before, strict=False)
        if step.stage != "merged" and not (previous and previous.stage == "merged")
    ]
    return History(kept, history.lead)


def stays_of(history: History) -> list[Stay]:
    """The steps with their ends; the kind of an end is told by where it led."""
    stays = []
    steps = list(history.steps)
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        is_dated = not step.is_date_unknown
        is_end_dated = not (following and following.is_date_unknown)
        stays.append(
            Stay(
                step.stage,
                step.entered_at,
                following.entered_at if following else None,
                exit_kind(step.stage, following.stage) if following else "",
                not step.is_pass_through and is_dated and is_end_dated,
                is_dated,
                is_end_dated,
            )
        )
    return stays


def exit_kind(stage: str, following: str) -> str:
    if following in ("disqualified", "lost", "churned", "merged"):
        return following
    if following == "qualified" and stage in ("mql", "sal", "sql"):
        return "recycled"
    if following == "qualified" and stage != "lead":
        return "reopened"
    return "advanced"
