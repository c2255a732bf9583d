"""The figures of the page “Traffic” as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from insights.rules import rate
from insights.traffic.folding import GOALS


@dataclass
class Flow:
    """Visits that have something in common. Times are milliseconds."""

    visitors: int = 0
    visits: int = 0
    page_views: int = 0
    engaged_ms: int = 0
    new_visitors: int = 0

    @property
    def pages_per_visit(self) -> float | None:
        return rate(self.page_views, self.visits)

    @property
    def engaged_per_visit(self) -> float | None:
        return rate(self.engaged_ms, self.visits)


@dataclass
class Cohort:
    """New visitors of the period: how many are old enough, and became leads within the window.

    `young_leads`: so many of those not yet old enough are leads already.
    """

    mature: int = 0
    became_leads: int = 0
    immature: int = 0
    young_leads: int = 0

    @property
    def lead_rate(self) -> float | None:
        return rate(self.became_leads, self.mature)

    @property
    def leads_so_far(self) -> int:
        return self.became_leads + self.young_leads

    @property
    def rate_so_far(self) -> float | None:
        """Of all new visitors, as long as none is old enough; None as soon as there is a rate."""
        return None if self.mature else rate(self.young_leads, self.immature)


@dataclass
class SourceLine:
    """One channel, source or campaign. `goals` counts leads by stage reached in the period."""

    name: str
    human: Flow = field(default_factory=Flow)
    raw: Flow = field(default_factory=Flow)
    cohort: Cohort = field(default_factory=Cohort)
    goals: dict[str, int] = field(default_factory=lambda: dict.fromkeys(GOALS, 0))


@dataclass
class PageLine:
    path: str
    visits: int = 0
    raw_visits: int = 0
    views: int = 0
    engaged_ms: int = 0
    goals: dict[str, int] = field(default_factory=lambda: dict.fromkeys(GOALS, 0))

    @property
    def engaged_per_visit(self) -> float | None:
        return rate(self.engaged_ms, self.visits)


@dataclass
class TrafficReport:
    """One page of figures. `young_on` is the first day whose new visitors are too young for the
    rate."""

    human: Flow
    raw: Flow
    cohort: Cohort
    goals: dict[str, int]
    lines: list[SourceLine]
    pages: list[PageLine]
    young_on: date

    @property
    def is_empty(self) -> bool:
        return not (self.raw.visits or any(self.goals.values()))
