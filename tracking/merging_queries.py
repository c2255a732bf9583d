"""What merge and duplicates pages of leads show out of events, visitors and ids."""

from __future__ import annotations

from itertools import groupby, pairwise
from operator import attrgetter

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext as _

from leads.duplicates import Suggestion
from leads.models import Lead
from leads.survivors import survivors_of
from tracking.models import Alias, Event, VisitorLink
from users.models import User

# Flagged links to read for each one to show: one browser may have many.
MOST_FLAGS = 4


def what_moves(survivor: Lead, loser: Lead) -> list[str]:
    """For the merge page: how many events, and what that does to the score."""
    count = Event.objects.filter(lead=loser).count()
    names = {"count": intcomma(count), "loser": loser.name, "survivor": survivor.name}
    moved = _("Events that move from %(loser)s to %(survivor)s: %(count)s.") % names
    return [moved, _("The score is counted anew from all events; scores are not added up.")]


def two_people_at_one_browser(user: User, limit: int) -> list[Suggestion]:
    """Flagged links: a browser that was one known person and then said it is another."""
    flagged = VisitorLink.objects.filter(is_flagged=True).order_by("-pk")[: MOST_FLAGS * limit]
    links = VisitorLink.objects.filter(visitor__in={link.visitor_id for link in flagged})
    by_visitor = groupby(links.order_by("visitor", "started_at", "pk"), attrgetter("visitor_id"))
    pairs = {
        (earlier.lead_id, link.lead_id): link.started_at
        for _visitor, history in by_visitor
        for earlier, link in pairwise(history)
        if link.is_flagged
    }
    return _suggestions(user, pairs, _("Two people seem to share a browser."))


def two_people_by_one_id(user: User, limit: int) -> list[Suggestion]:
    """A sender said of the ids of two known people that they are one's (`alias`)."""
    told = Alias.objects.exclude(user_lead=None).order_by("-pk")[: MOST_FLAGS * limit]
    pairs = {(alias.previous_lead_id, alias.user_lead_id): alias.said_at for alias in told}
    return _suggestions(user, pairs, _("A sender said that their ids are one person's."))


def _suggestions(user: User, pairs: dict, sentence: str) -> list[Suggestion]:
    """Of pairs of leads with an instant: as they stand today, if the user may see both."""
    went = survivors_of({lead_id for pair in pairs for lead_id in pair})
    today = {
        (went.get(first, first), went.get(second, second)): at
        for (first, second), at in pairs.items()
    }
    visible = Lead.objects.visible_to(user).select_related("account", "owner").defer("search")
    leads = visible.in_bulk({lead_id for pair in today for lead_id in pair})
    return [
        Suggestion(leads[first], leads[second], sentence, at)
        for (first, second), at in today.items()
        if first != second and first in leads and second in leads
    ]
