"""The agreement on the score, on pages of others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from django import template
from django.utils.timezone import get_default_timezone, make_aware

from leads.models import Lead
from scoring import cooling, version_queries
from scoring.models import ModelVersion
from scoring.signing import side_of
from scoring.way_to_force import way
from users.models import User

register = template.Library()


@register.inclusion_tag("scoring/_review_reminder.html", takes_context=True)
def review_reminder(context: template.RequestContext) -> dict:
    """Versions whose review is due, for those who may confirm it."""
    user = context.get("user")
    asks = isinstance(user, User) and (user.is_admin or side_of(user.role) is not None)
    return {"due_reviews": version_queries.due_reviews() if asks else []}


@register.inclusion_tag("scoring/_way.html", takes_context=True)
def way_to_force(context: template.RequestContext, version: ModelVersion, here: str = "") -> dict:
    """Preview, back-test, signatures, publication, for those who take part; the next stands out.

    A page that knows them has the `changes` of the version.
    """
    user = context.get("user")
    if not isinstance(user, User) or not (user.is_admin or side_of(user.role)):
        return {"steps": []}
    steps = way(version, here, is_changed=bool(context.get("changes", True)))
    return {"steps": steps, "may_edit": user.is_admin and version.is_draft}


@register.inclusion_tag("scoring/_cooled.html")
def cooled_note(lead: Lead) -> dict:
    """That the score of a lead with sales has fallen; nothing else happens."""
    return {"cooled": cooling.cooled(lead)}


@dataclass(frozen=True)
class MonthOfBreak:
    month: date
    number: int
    on: date
    is_for_new_leads: bool


@register.simple_tag
def score_breaks(first: date | None = None, last: date | None = None) -> list[MonthOfBreak]:
    """When other versions came into force, from the first to the last day (None: ever)."""
    zone = get_default_timezone()
    since = make_aware(datetime.combine(first, time.min), zone) if first else None
    until = make_aware(datetime.combine(last, time.max), zone) if last else None
    found = []
    for one in version_queries.breaks(since, until):
        on = one.at.astimezone(zone).date()
        month = on.replace(day=1)
        found.append(MonthOfBreak(month, one.version.number, on, one.is_for_new_leads))
    return found
