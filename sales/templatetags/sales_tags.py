"""How time left, BANT and money look."""

from __future__ import annotations

from decimal import Decimal

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from sales.queries import Row
from sales.rules import CLOSES, OPENS

register = template.Library()
MINUTES_A_DAY = (CLOSES.hour - OPENS.hour) * 60


@register.filter
def time_left(row: Row) -> str:
    """ "2 h 5 min left", "1 d overdue": the working time to decide."""
    if not row.is_overdue:
        return _("%(time)s left") % {"time": working_time(row.minutes_left)}
    if not row.minutes_left:
        return _("overdue")
    return _("%(time)s overdue") % {"time": working_time(row.minutes_left)}


def working_time(minutes: int) -> str:
    """ "2 d 3 h", "1 h 20 min", "5 min"; a day has eight working hours. The sign is dropped."""
    days, rest = divmod(abs(minutes), MINUTES_A_DAY)
    hours, minutes = divmod(rest, 60)
    if days and hours:
        return _("%(days)d d %(hours)d h") % {"days": days, "hours": hours}
    if days:
        return _("%(days)d d") % {"days": days}
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    return _("%(minutes)d min") % {"minutes": minutes}


@register.filter
def signed(points: Decimal) -> str:
    """ "+12", "−3": points of a reason, rounded to whole ones."""
    sign = "−" if points < 0 else "+"
    return f"{sign}{number_format(abs(points), 0)}"


@register.simple_tag
def money(amount: Decimal | None, currency: str) -> str:
    """ "12,500 EUR"; a dash when no amount is known."""
    if amount is None:
        return "–"
    cents = 0 if amount == amount.to_integral_value() else 2
    return f"{number_format(amount, cents, force_grouping=True)} {currency}"
