"""Figures that open their leads, and definitions beside them."""

from __future__ import annotations

from functools import cache, partial

from django import template
from django.template.context import Context
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from insights import wording
from insights.definitions import DEFINITIONS
from insights.filters import Filters
from insights.page import MonthCell
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
    return _figure(filters or context["filters"], name, stage, count, text)


def _figure(filters: Filters, name: str, stage: str, count: int, text: str = "") -> SafeString:
    """Put together by hand: a page has hundreds of them."""
    text = escape(text or wording.whole(count))
    if not count:
        return SafeString(f'<span class="count-none">{text}</span>')
    query = escape(filters.query(figure=name, stage=stage))
    return SafeString(f'<a class="count" href="{_leads_address()}?{query}">{text}</a>')


@register.simple_tag
def month_cell(cell: MonthCell) -> SafeString:
    """One month and step of the table of months, as a table cell."""
    outcome = cell.outcome
    if not cell.has_rate:
        return SafeString('<td class="number heat-none">–</td>')
    link = partial(_figure, cell.filters)
    if cell.is_mature:
        look = f"heat heat-{share_step(outcome.step_conversion_rate)}"
        count = link("converted", cell.stage, outcome.converted, cell.rate_text)
        share = count if outcome.converted else "0%"
        whole = link("mature", cell.stage, outcome.mature)
    else:
        look = "heat-young"
        note = escape(_("too young for a rate:"))
        share = f'<span class="visually-hidden">{note}</span>' + link(
            "converted_so_far", cell.stage, cell.so_far
        )
        whole = link("cohort", cell.stage, outcome.cohort)
    part = f"<small>{escape(_('of'))} {whole}</small>"
    return SafeString(f'<td class="number {look}">{share}{part}</td>')


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
