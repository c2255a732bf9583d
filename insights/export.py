"""The same figures as CSV: plain numbers, one row per stage or stay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from insights import rules
from insights.models import Stay
from insights.queries import Freshness
from insights.report import FunnelReport, StageFigures
from leads.stages import EntryKind


def stage_lines(report: FunnelReport, freshness: Freshness, scope: str) -> tuple[list, Iterator]:
    """Header and rows. Rates are 0..1, durations hours; empty means there is nothing to tell."""
    header = [
        *(_("Stage"), _("Leads now"), _("Reached"), _("Old enough"), _("Moved on in the window")),
        *(_("Step conversion rate"), _("Dropped in the window"), _("Drop-off rate")),
        *(_("Undecided"), _("Still maturing"), _("Date unknown"), _("Moved on by now")),
        *(EntryKind(kind).label for kind in rules.DROPS),
        *(_("New cycle"), _("Still there"), _("Stays with a known time"), _("Median hours")),
        *(_("p90 hours"), _("Leads old enough"), _("Came here in time"), _("Conversion rate")),
        *(_("Window (days)"), _("Horizon (days)"), _("Segment"), _("As of")),
    ]
    tail = (report.filters.window, report.filters.horizon, scope, freshness.as_of)
    return header, ((*_stage_row(row), *tail) for row in report.stages)


def _stage_row(row: StageFigures) -> tuple:
    step, time = row.step, row.time
    rates = (None, None) if row.is_last else (step.converted, _rounded(step.step_conversion_rate))
    return (
        *(row.stage.label, row.now, row.entered, step.mature, *rates),
        *(step.dropped, _rounded(step.drop_off_rate), step.undecided, step.immature),
        step.untold,
        *(row.advanced, *(row.exits[kind] for kind in rules.DROPS)),
        *(row.exits["reopened"], row.open, time.stay_count, _hours(time.median)),
        *(_hours(time.p90), row.reached_of, row.reached, _rounded(row.conversion_rate)),
    )


def stay_lines(stays: Iterable[Stay]) -> tuple[list, Iterator]:
    header = [
        *(_("Lead"), _("First name"), _("Last name"), _("E-mail"), _("Company"), _("Country")),
        *(_("Channel"), _("Source"), _("Owner"), _("Stage now"), _("Cycle"), _("Stage")),
        *(_("Entered"), _("Left"), _("How"), _("Reason")),
    ]
    return header, (_stay_row(stay) for stay in stays)


def _stay_row(stay: Stay) -> tuple:
    lead = stay.lead
    return (
        *(lead.pk, lead.first_name, lead.last_name, lead.email, lead.company, lead.country),
        *(lead.channel, lead.source, str(lead.owner or ""), lead.stage, stay.cycle, stay.stage),
        *(stay.began_at, stay.left_at, stay.exit_kind, getattr(stay, "reason", "")),
    )


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _hours(code: int | None) -> int | None:
    return None if code is None else rules.code_hours(code)
