"""The sidebar and the landing pages: what each role works with, in the order of its day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from funnel_app.access import may_open
from users.models import User
from users.roles import Role


def _waiting_in_inbox(user: User) -> int:
    """Hand-offs that wait for this user's decision."""
    try:
        from sales.queries import waiting_count
    except ImportError:
        return 0
    return waiting_count(user)


@dataclass(frozen=True)
class Entry:
    """One line of the sidebar. `view_name` is both its target and who may see it."""

    label: str | Promise
    view_name: str
    icon: str
    count: Callable[[User], int] | None = None


SIDEBAR = (
    Entry(_("Funnel"), "insights:funnel", "funnel"),
    Entry(_("Traffic"), "traffic:traffic", "globe"),
    Entry(_("Inbox"), "sales:inbox", "inbox", _waiting_in_inbox),
    Entry(_("Leads"), "leads:list", "leads"),
    Entry(_("Accounts"), "accounts:list", "account"),
    Entry(_("Pipeline"), "sales:pipeline", "pipeline"),
    Entry(_("Customers"), "sales:customers", "trophy"),
    Entry(_("Scoring"), "scoring:model", "scoring"),
    Entry(_("Quadrants"), "scoring:quadrants", "quadrants"),
    Entry(_("Prediction"), "scoring:prediction", "chart"),
    Entry(_("Imports"), "imports:list", "import"),
    Entry(_("Sources"), "tracking:sources", "source"),
    Entry(_("Admin"), "admin:index", "admin"),
)

# Where each role starts its day: the first page that exists.
LANDING: dict[str, tuple[str, ...]] = {
    Role.MARKETER: ("insights:funnel", "leads:list"),
    Role.REP: ("sales:inbox", "leads:list"),
    Role.MANAGER: ("sales:inbox", "leads:list"),
    Role.ADMIN: ("scoring:model", "admin:index"),
}


def landing_url(user: User) -> str | None:
    """The address of the user's own first page; None for someone without a role."""
    for view_name in LANDING.get(user.role, ()):
        url = address_of(view_name)
        if url:
            return url
    return None


def address_of(view_name: str) -> str:
    """The address with this name, empty while no app provides it."""
    try:
        return reverse(view_name)
    except NoReverseMatch:
        return ""


def navigation(request: HttpRequest) -> dict:
    """Context processor. Lazy: pages that draw no sidebar ask nothing."""
    return {
        "navigation": SimpleLazyObject(lambda: _entries_for(request)),
        "organisation_name": settings.ORGANISATION_NAME,
        "reporting_time_zone": settings.REPORTING_TIME_ZONE,
    }


def _entries_for(request: HttpRequest) -> list[dict]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    offered = [(entry, address_of(entry.view_name)) for entry in SIDEBAR]
    offered = [(entry, url) for entry, url in offered if url and may_open(user, entry.view_name)]
    # One page may lie below another: the longest address that fits is where we are.
    around = [url for _entry, url in offered if request.path.startswith(url)]
    here = max(around, key=len, default="")
    return [
        {
            "label": entry.label,
            "url": url,
            "icon": entry.icon,
            "is_active": url == here,
            "count": entry.count(user) if entry.count else 0,
        }
        for entry, url in offered
    ]
