"""The figures and lists of “Traffic” as CSV: plain numbers, seconds, rates 0..1."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from insights.traffic.filters import TrafficFilters
from insights.traffic.folding import GOALS
from insights.traffic.queries import TrafficFreshness
from insights.traffic.report import SourceLine, TrafficReport
from leads.stages import Stage
from tracking.models import Visit


def source_lines(
    report: TrafficReport, filters: TrafficFilters, freshness: TrafficFreshness
) -> tuple[list, Iterator]:
    header = [
        *(_("Group"), _("Visits"), _("Visits with machines"), _("Page views")),
        *(_("Engaged seconds"), _("New visitors"), _("New visitors old enough")),
        *(_("Became leads"), _("Visitor to lead rate"), _("Leads so far")),
        *(Stage(goal).label for goal in GOALS),
        *(_("From"), _("To"), _("As of")),
    ]
    period = filters.period
    tail = (period.from_on, period.last_on(freshness.today), freshness.as_of)
    return header, ((*_source_row(line), *tail) for line in report.lines)


def _source_row(line: SourceLine) -> tuple:
    rate = line.cohort.lead_rate
    return (
        *(line.name, line.human.visits, line.raw.visits, line.human.page_views),
        *(line.human.engaged_ms // 1000, line.human.new_visitors, line.cohort.mature),
        *(line.cohort.became_leads, None if rate is None else round(rate, 4)),
        line.cohort.leads_so_far,
        *(line.goals[goal] for goal in GOALS),
    )


def visit_lines(visits: Iterable[Visit]) -> tuple[list, Iterator]:
    header = [
        *(_("Started"), _("Last seen"), _("Visitor"), _("Lead"), _("Machine"), _("Channel")),
        *(_("Source"), _("Medium"), _("Campaign"), _("Referring domain"), _("Landing page")),
        *(_("Page views"), _("Engaged seconds")),
    ]
    return header, (_visit_row(visit) for visit in visits)


def _visit_row(visit: Visit) -> tuple:
    return (
        *(visit.started_at, visit.ended_at, visit.anonymous_id, visit.lead_id, visit.is_machine),
        *(visit.channel, visit.source, visit.medium, visit.campaign, visit.referrer),
        *(visit.landing_path, visit.page_views, visit.engaged_ms // 1000),
    )
