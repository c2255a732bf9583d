"""What each figure means, in the words shown beside it. docs/metrics.md says the same at length."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from insights.filters import Filters
from insights.queries import Freshness

STAY = gettext_lazy("Unit: stay in a stage. A lead that is recycled counts once in each cycle.")
LEAD = gettext_lazy("Unit: lead.")


@dataclass(frozen=True)
class Definition:
    """`text` may use %(window)s, %(horizon)s days. `is_timeless`: not cut by the period."""

    title: str | Promise
    text: str | Promise
    unit: str | Promise = STAY
    is_timeless: bool = False


DEFINITIONS: dict[str, Definition] = {
    "now": Definition(
        gettext_lazy("Leads now"),
        gettext_lazy("Leads that are in this stage at this moment, whenever they came."),
        LEAD,
        is_timeless=True,
    ),
    "visitors": Definition(
        gettext_lazy("Anonymous visitors"),
        gettext_lazy("Browsers that visited and have not said who they are; not leads yet."),
        gettext_lazy("Unit: browser. Counted once a minute, for all visitors."),
        is_timeless=True,
    ),
    "reached": Definition(
        gettext_lazy("Reached"),
        gettext_lazy(
            "Stays in this stage that began in the period. A skipped stage counts as reached. "
            "What began nobody knows when is in no period; only of all time it counts as reached."
        ),
    ),
    "undated": Definition(
        gettext_lazy("Stays without a known date"),
        gettext_lazy(
            "An import may know that a stage was reached, but not when. Such stays, of all time "
            "and all stages of the funnel, are in “Leads now” as long as they last, and in no "
            "figure of a period. Where only the end is not known, the stay is in “Reached” and in "
            "“Where they went”, but in no rate; it is shown as “date unknown”."
        ),
        is_timeless=True,
    ),
    "step": Definition(
        gettext_lazy("Moved on (step conversion rate)"),
        gettext_lazy(
            "Of the stays that began in the period, the share that went on to the next stage in "
            "the same cycle within %(window)s days. Stays younger than %(window)s days are still "
            "maturing: shown apart, and in neither part of the rate."
        ),
    ),
    "dropped": Definition(
        gettext_lazy("Dropped (drop-off rate)"),
        gettext_lazy(
            "Of the same stays, the share that was recycled, disqualified, lost or churned within "
            "%(window)s days."
        ),
    ),
    "undecided": Definition(
        gettext_lazy("Undecided"),
        gettext_lazy(
            "Of the same stays, the share that had neither moved on nor dropped when their "
            "%(window)s days were over."
        ),
    ),
    "immature": Definition(
        gettext_lazy("Still maturing"),
        gettext_lazy(
            "Stays that began in the period less than %(window)s days ago. Their window is still "
            "open, so they enter no rate."
        ),
    ),
    "time": Definition(
        gettext_lazy("Time in stage"),
        gettext_lazy(
            "How long until half (median), or nine of ten (p90), of the stays that began in the "
            "period have ended, in whatever way. Open stays are included by a survival estimate "
            "(Kaplan–Meier). Skipped stages and unknown dates are left out. Rounded down to hours "
            "below three days, to days above. “>” means that too few have ended to tell."
        ),
    ),
    "exits": Definition(
        gettext_lazy("Where they went"),
        gettext_lazy(
            "How the stays that began in the period have ended by now, whatever their age. Each "
            "row adds up: reached = moved on + left + still there."
        ),
    ),
    "conversion": Definition(
        gettext_lazy("Overall conversion rate"),
        gettext_lazy(
            "Of the leads that became known in the period, the share that came to this stage, in "
            "any cycle, within %(horizon)s days of the first contact. Younger leads are left out, "
            "and those of which no date tells whether they came in time."
        ),
        LEAD,
    ),
    "months": Definition(
        gettext_lazy("By month"),
        gettext_lazy(
            "The step conversion rate of the stays that began in each month. Hatched: the month is "
            "younger than %(window)s days; the number is how many moved on so far, not a rate."
        ),
    ),
}


def sentences(name: str, filters: Filters, freshness: Freshness) -> list[str]:
    """The definition of a figure as it is shown now: meaning, unit, cohort, zone, as of."""
    definition = DEFINITIONS[name]
    values = {"window": filters.window, "horizon": filters.horizon}
    lines = [str(definition.text) % values, str(definition.unit)]
    if not definition.is_timeless:
        lines.append(_("Period: %(period)s.") % {"period": describe_period(filters, freshness)})
    lines.append(
        _("As of %(instant)s, time zone %(zone)s. Of the leads you may see, in the chosen segment.")
        % {
            "instant": date_format(localtime(freshness.as_of), "DATETIME_FORMAT"),
            "zone": settings.REPORTING_TIME_ZONE,
        }
    )
    lines.append(_("Stages are moved by people and rules; machine activity is not counted."))
    return lines


def describe_period(filters: Filters, freshness: Freshness) -> str:
    """First and last day, both included."""
    if filters.period.preset == "all":
        return _("all time")
    return "{} – {}".format(
        date_format(filters.period.from_on, "DATE_FORMAT"),
        date_format(filters.period.last_on(freshness.today), "DATE_FORMAT"),
    )
