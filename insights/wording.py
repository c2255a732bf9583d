"""Figures as people read them."""

from __future__ import annotations

from functools import lru_cache

from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from insights import rules
from insights.report import TimeInStage

NOTHING = "–"


def whole(number: int) -> str:
    """12,400"""
    return _whole(number, get_language())


@lru_cache(maxsize=4096)
def _whole(number: int, _language: str | None) -> str:
    """Remembered: a page has hundreds of them, and looking up a format takes its time."""
    return number_format(number, decimal_pos=0, use_l10n=True, force_grouping=True)


def percent(share: float | None) -> str:
    """38%, 4.2%, and – where there is nothing to take a share of."""
    if share is None:
        return NOTHING
    decimals = 0 if share >= 0.0995 or not share else 1
    # number_format cuts decimals off; people expect them rounded.
    return f"{number_format(round(share * 100, decimals), decimal_pos=decimals)}%"


def duration(code: int | None) -> str:
    """A duration code of rules.py in hours or days."""
    if code is None:
        return NOTHING
    hours = rules.code_hours(code)
    if hours == 0:
        return _("< 1 h")
    if hours < rules.HOURS:
        return _("%(hours)s h") % {"hours": hours}
    return _("%(days)s d") % {"days": whole(hours // 24)}


def quantile(code: int | None, time: TimeInStage) -> str:
    """A median or p90; "> 90 d" when too few stays have ended within the longest seen."""
    if code is None and time.stay_count:
        return f"> {duration(time.longest)}"
    return duration(code)
