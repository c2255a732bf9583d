"""Every figure of the funnel pages that can be opened: which stays it counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from insights import rules
from insights.filters import Filters
from insights.models import Stay
from insights.periods import Period
from leads.stages import FUNNEL

_TOLD = Q(entered_on__isnull=False, elapsed__gte=rules.OPEN)


@dataclass(frozen=True)
class Question:
    """What a figure is asked for: a stage, the filters, and the first days that are too young."""

    stage: str
    filters: Filters
    young_on: date  # for the window of one step
    captured_young_on: date  # for the horizon from the first contact

    def entered(self) -> Q:
        """All that began in the period; of all time also what began nobody knows when."""
        period = self.filters.period
        return Q(stage=self.stage) & (Q() if period.is_all_time else _during("entered_on", period))

    def cohort(self) -> Q:
        """Of these, what rates are of: the dates are known."""
        return self.entered() & _TOLD

    def in_window(self) -> Q:
        return Q(elapsed__gte=0, elapsed__lt=rules.day_code(self.filters.window))

    def mature(self) -> Q:
        return self.cohort() & Q(entered_on__lt=self.young_on)

    def captured(self) -> Q:
        period = _during("captured_on", self.filters.period)
        return period & Q(reached_elapsed__isnull=False)

    def captured_mature(self) -> Q:
        """The leads, by their first stay, that are old enough for the overall rate."""
        return self.captured() & Q(stage=FUNNEL[0], captured_on__lt=self.captured_young_on)

    def unsure(self) -> Exists:
        """The lead came to the stage, but nobody knows whether in time."""
        horizon = rules.day_code(self.filters.horizon)
        stays = Stay.objects.filter(
            lead_id=OuterRef("lead_id"),
            stage=self.stage,
            reached_after__lt=horizon,
            reached_elapsed__gte=horizon,
        )
        return Exists(stays)


@dataclass(frozen=True)
class Figure:
    """`title` has a place for %(stage)s when the figure is of one stage."""

    title: str | Promise
    stays: Callable[[Question], Q]
    is_of_leads: bool = False  # counts leads, not stays
    has_stage: bool = True


def _during(column: str, period: Period) -> Q:
    return Q(**{f"{column}__gte": period.from_on, f"{column}__lt": period.until_on})


def _moved_on(q: Question) -> Q:
    return q.in_window() & Q(exit_kind=rules.MOVED_ON)


def _dropped(q: Question) -> Q:
    return q.in_window() & Q(exit_kind__in=rules.DROPS)


def _left(kind: str) -> Callable[[Question], Q]:
    return lambda q: q.entered() & Q(exit_kind=kind)


FIGURES: dict[str, Figure] = {
    "now": Figure(
        _("Leads now in %(stage)s"), lambda q: Q(stage=q.stage, elapsed=rules.OPEN), True
    ),
    "reached": Figure(_("Reached %(stage)s"), lambda q: q.entered()),
    "mature": Figure(_("Reached %(stage)s, older than the window"), lambda q: q.mature()),
    "cohort": Figure(_("Reached %(stage)s, with known dates"), lambda q: q.cohort()),
    "immature": Figure(
        _("Reached %(stage)s, still maturing"),
        lambda q: q.cohort() & Q(entered_on__gte=q.young_on),
    ),
    "converted": Figure(
        _("Moved on from %(stage)s within the window"), lambda q: q.mature() & _moved_on(q)
    ),
    "converted_so_far": Figure(
        _("Moved on from %(stage)s within the window so far"),
        lambda q: q.entered() & _moved_on(q),
    ),
    "dropped": Figure(
        _("Dropped from %(stage)s within the window"), lambda q: q.mature() & _dropped(q)
    ),
    "undecided": Figure(
        _("Undecided in %(stage)s when the window closed"),
        lambda q: q.mature() & ~_moved_on(q) & ~_dropped(q),
    ),
    "advanced": Figure(_("Moved on from %(stage)s by now"), _left(rules.MOVED_ON)),
    "recycled": Figure(_("Recycled from %(stage)s"), _left("recycled")),
    "disqualified": Figure(_("Disqualified in %(stage)s"), _left("disqualified")),
    "lost": Figure(_("Lost in %(stage)s"), _left("lost")),
    "churned": Figure(_("Churned from %(stage)s"), _left("churned")),
    "reopened": Figure(_("Started a new cycle from %(stage)s"), _left("reopened")),
    "drop_off": Figure(
        _("Dropped from %(stage)s by now"), lambda q: q.entered() & Q(exit_kind__in=rules.DROPS)
    ),
    "open": Figure(_("Still in %(stage)s"), _left("")),
    "timed": Figure(
        _("Stays behind the time in %(stage)s"), lambda q: q.entered() & Q(is_timed=True)
    ),
    "captured": Figure(
        _("Leads that became known in the period"),
        lambda q: q.captured() & Q(stage="lead"),
        is_of_leads=True,
        has_stage=False,
    ),
    "captured_mature": Figure(
        _("Leads that became known in the period, old enough for the rate"),
        lambda q: q.captured_mature(),
        is_of_leads=True,
        has_stage=False,
    ),
    "captured_immature": Figure(
        _("Leads that became known in the period, still too young"),
        lambda q: q.captured() & Q(stage="lead", captured_on__gte=q.captured_young_on),
        is_of_leads=True,
        has_stage=False,
    ),
    "conversion": Figure(
        _("Came to %(stage)s in time after the first contact"),
        lambda q: (
            q.captured()
            & Q(
                stage=q.stage,
                captured_on__lt=q.captured_young_on,
                reached_elapsed__lt=rules.day_code(q.filters.horizon),
            )
        ),
        is_of_leads=True,
    ),
    "conversion_of": Figure(
        _("Leads old enough of which it is known whether they came to %(stage)s in time"),
        lambda q: q.captured_mature() & ~Q(q.unsure()),
        is_of_leads=True,
    ),
    "untold": Figure(
        _("Reached %(stage)s, but when it began or ended is not known"),
        lambda q: q.entered() & ~_TOLD,
    ),
    "undated": Figure(
        _("Stays without a known date"),
        lambda q: Q(stage__in=[*FUNNEL], entered_on=None),
        has_stage=False,
    ),
}
