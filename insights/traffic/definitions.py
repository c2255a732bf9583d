"""What each figure of “Traffic” means, in the words shown beside it."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

DEFINITIONS: dict[str, tuple[str | Promise, str | Promise]] = {
    "visitors": (
        _("Visitors"),
        _(
            "Browsers with at least one visit in the period, each counted once. "
            "A person with two devices is two visitors."
        ),
    ),
    "visits": (
        _("Visits"),
        _(
            "Visits that began in the period. A visit ends after 30 minutes without anything, or "
            "when the visitor comes back through another campaign."
        ),
    ),
    "page_views": (_("Page views"), _("Pages viewed in these visits.")),
    "engaged": (
        _("Engaged time"),
        _(
            "Time the page was visible and in use, as far as the website measures it; "
            "the longest told for each page view. The mean of a visit."
        ),
    ),
    "raw": (
        _("With machines"),
        _(
            "The same with visits of crawlers, scripts and our own people. "
            "Everything else on this page counts humans only."
        ),
    ),
    "lead_rate": (
        _("Visitor → lead"),
        _(
            "Of the visitors whose first visit was in the period and at least 30 days ago, the "
            "share that was known as a lead within 30 days. Younger ones are shown apart, in no "
            "rate. Where all are younger, as in the last 30 days, the rate so far stands "
            "instead, marked as such: the leads that they are by now, of all new visitors. It "
            "still changes, mostly upwards."
        ),
    ),
    "goals": (
        _("Reached a stage"),
        _(
            "Leads that reached the stage for the first time in the period, by the channel, "
            "source and campaign they first came by."
        ),
    ),
    "pages": (
        _("Pages and what came of them"),
        _(
            "Visits of the period that saw the page. A page had a part in a stage when the lead "
            "saw it, in whatever visit, before reaching the stage for the first time; so one "
            "lead counts for many pages."
        ),
    ),
}
