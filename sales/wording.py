"""The sentences that tell a rep what a colleague did first."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from sales.models import Handoff
from users.models import User


def already_decided(handoff: Handoff, reader: User | None) -> str:
    """ "Tom Berg was faster: Kim Lee was accepted on March 3, 2026 10:32." """
    facts = {
        "name": handoff.lead.name,
        "state": handoff.get_state_display(),
        "who": handoff.decided_by,
        "when": local_time(handoff.decided_at),
    }
    if handoff.decided_by is None:
        return _("%(name)s was %(state)s on %(when)s.") % facts
    if reader is not None and handoff.decided_by == reader:
        return _("You have decided already: %(name)s was %(state)s on %(when)s.") % facts
    return _("%(who)s was faster: %(name)s was %(state)s on %(when)s.") % facts


def already_assigned(handoff: Handoff) -> str:
    return _("%(name)s is assigned to %(who)s since %(when)s.") % {
        "name": handoff.lead.name,
        "who": handoff.assignee,
        "when": local_time(handoff.assigned_at),
    }


def local_time(at) -> str:
    """The instant on the organisation's clock."""
    if at is None:
        return "–"
    local = at.astimezone(ZoneInfo(settings.REPORTING_TIME_ZONE))
    return f"{date_format(local, 'DATE_FORMAT')} {local:%H:%M}"
