"""How the funnel page is laid out: choices of the filter bar, rows of the month table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from insights.definitions import DEFINITIONS, sentences
from insights.filters import DIMENSIONS, NOT_SET, WINDOWS, Filters
from insights.periods import EVER, Period, custom_period, next_month, preset_period
from insights.queries import Freshness, Option
from insights.report import FunnelReport, StageFigures, StepOutcome
from insights.wording import percent, whole
from leads.stages import FUNNEL, Stage

PERIOD_LABELS: dict[str, str | Promise] = {
    "30d": gettext_lazy("Last 30 days"),
    "90d": gettext_lazy("Last 90 days"),
    "quarter": gettext_lazy("This quarter"),
    "12m": gettext_lazy("Last 12 months"),
    "all": gettext_lazy("All time"),
    "custom": gettext_lazy("From – to"),
}
DIMENSION_LABELS: dict[str, str | Promise] = {
    "channel": gettext_lazy("Channel"),
    "source": gettext_lazy("Source"),
    "country": gettext_lazy("Country"),
    "owner": gettext_lazy("Owner"),
}
EMPTY_LABELS: dict[str, str | Promise] = {
    "channel": gettext_lazy("Unknown"),
    "source": gettext_lazy("No source"),
    "country": gettext_lazy("No country"),
    "owner": gettext_lazy("No owner"),
}


@dataclass(frozen=True)
class Choice:
    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class Select:
    """One drop-down of the filter bar."""

    name: str
    label: str | Promise
    choices: list[Choice]


def selects(filters: Filters, options: dict[str, list[Option]]) -> list[Select]:
    """Period, windows and segment as drop-downs; counts are of leads the reader may see."""
    chosen_period = filters.period.preset or "custom"
    return [
        Select(
            "period",
            _("Period"),
            [Choice(key, str(text), key == chosen_period) for key, text in PERIOD_LABELS.items()],
        ),
        *(_segment_select(name, filters, options[name]) for name in DIMENSIONS),
        Select("window", _("Window per step"), _day_choices(filters.window)),
        Select("horizon", _("Window overall"), _day_choices(filters.horizon)),
    ]


def days_shown(filters: Filters, today: date) -> tuple[date, date]:
    """First and last day that a period of one's own begins with: those now on the page."""
    period = filters.period
    if period.from_on == EVER:
        period = preset_period("12m", today)
    return period.from_on, period.last_on(today)


def _day_choices(chosen: int) -> list[Choice]:
    return [
        Choice(str(days), _("%(days)s days") % {"days": days}, days == chosen) for days in WINDOWS
    ]


def _segment_select(name: str, filters: Filters, options: list[Option]) -> Select:
    chosen = filters.segment.get(name)
    choices = [
        Choice(
            option.value or NOT_SET,
            f"{option.label or EMPTY_LABELS[name]} ({whole(option.lead_count)})",
            option.value == chosen,
        )
        for option in options
    ]
    if chosen is not None and not any(choice.is_chosen for choice in choices):
        label = chosen or str(EMPTY_LABELS[name])
        choices.append(Choice(chosen or NOT_SET, f"{label} (0)", True))
    everything = Choice("", _("All"), chosen is None)
    return Select(name, DIMENSION_LABELS[name], [everything, *choices])


@dataclass(frozen=True)
class MonthCell:
    """One month and step. `filters` narrow the page to that month."""

    stage: Stage
    outcome: StepOutcome
    filters: Filters

    @property
    def is_mature(self) -> bool:
        return self.outcome.mature > 0 and self.outcome.immature == 0

    @property
    def has_rate(self) -> bool:
        """Whether there is a rate, or will be one."""
        return self.outcome.cohort > 0

    @property
    def rate_text(self) -> str:
        return percent(self.outcome.step_conversion_rate)

    @property
    def so_far(self) -> int:
        return self.outcome.converted + self.outcome.immature_converted


@dataclass(frozen=True)
class MonthRow:
    month: date
    cells: list[MonthCell]


def month_rows(report: FunnelReport, today: date) -> list[MonthRow]:
    """The steps of each month, newest first; a month that the period cuts is cut here too."""
    return [
        _month_row(
            month, steps, report.filters.within(_part_of(month, report.filters.period, today))
        )
        for month, steps in reversed(report.months.items())
    ]


def _month_row(month: date, steps: Mapping[str, StepOutcome], filters: Filters) -> MonthRow:
    """All cells share the filters, so their address is put together once."""
    cells = [MonthCell(stage, steps.get(stage, StepOutcome()), filters) for stage in FUNNEL[:-1]]
    return MonthRow(month, cells)


def _part_of(month: date, period: Period, today: date) -> Period:
    last_on = min(next_month(month), period.until_on) - timedelta(days=1)
    return custom_period(max(month, period.from_on), last_on, today)


def leaks(report: FunnelReport) -> list[tuple[StageFigures, float]]:
    """The stages by what dropped out of them, worst first, with the share of the worst."""
    leaking = [row for row in report.stages if row.drop_off]
    leaking.sort(key=lambda row: -row.drop_off)
    return [(row, row.drop_off / leaking[0].drop_off) for row in leaking]


def definitions(filters: Filters, freshness: Freshness) -> list[dict]:
    """Every definition once; buttons beside the figures open them."""
    return [
        {"name": name, "title": definition.title, "sentences": sentences(name, filters, freshness)}
        for name, definition in DEFINITIONS.items()
    ]
