"""Figures that open their leads, and definitions beside them."""

from __future__ import annotations

from functools import cache

from django import template
from django.template.context import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from insights import wording
from insights.definitions import DEFINITIONS
from insights.filters import Filters
from insights.reasons import Reason
from insights.report import TimeInStage
from leads.stages import EntryKind

register = template.Library()
register.filter("percent", wording.percent)
register.filter("duration", wording.duration)
register.filter("whole", wording.whole)


@register.simple_tag(takes_context=True)
def figure(
    context: Context,
    name: str,
    stage: str,
    count: int,
    text: str = "",
    filters: Filters | None = None,
) -> SafeString:
    """A count, or `text` for it, as a link to the leads behind it; plain when there are none."""
    text = text or wording.whole(count)
    if not count:
        return format_html('<span class="count-none">{}</span>', text)
    query = (filters or context["filters"]).query(figure=name, stage=stage)
    return format_html('<a class="count" href="{}?{}">{}</a>', _leads_address(), query, text)


@cache
def _leads_address() -> str:
    """Looked up once: a page has hundreds of figures."""
    return reverse("insights:leads")


@register.simple_tag(takes_context=True)
def reason_count(context: Context, stage: str, reason: Reason) -> SafeString:
    """The stays that ended for a reason, as a link to their leads."""
    query = context["filters"].query(figure=reason.exit_kind, stage=stage, reason=reason.address)
    text = wording.whole(reason.stay_count)
    return format_html('<a class="count" href="{}?{}">{}</a>', _leads_address(), query, text)


@register.simple_tag
def definition(name: str) -> SafeString:
    """The small button that shows what a figure means (templates/insights/_definitions.html)."""
    return format_html(
        '<button type="button" class="define d-print-none" popovertarget="define-{}" '
        'aria-label="{}">?</button>',
        name,
        _("What “%(figure)s” means") % {"figure": DEFINITIONS[name].title},
    )


@register.filter
def exit_label(kind: str) -> str:
    return str(EntryKind(kind).label) if kind in EntryKind.values else kind


@register.filter
def median(time: TimeInStage) -> str:
    return wording.quantile(time.median, time)


@register.filter
def ninetieth(time: TimeInStage) -> str:
    return wording.quantile(time.p90, time)


@register.filter
def share_step(share: float | None) -> int:
    """A share as one of the 21 widths and shades that the style sheet knows, 0 to 100 by fives."""
    return 0 if share is None else round(share * 20) * 5
