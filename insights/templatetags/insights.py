"""Figures that open their leads, and definitions beside them."""

from __future__ import annotations

from django import template
from django.template.context import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from insights import wording
from insights.definitions import DEFINITIONS
from insights.figures import FIGURES
from insights.filters import Filters
from insights.report import TimeInStage
from leads.stages import Stage

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
        return format_html('<span class="figure-none">{}</span>', text)
    filters = filters or context["filters"]
    title = str(FIGURES[name].title) % {"stage": Stage(stage).label if stage else ""}
    url = f"{reverse('insights:leads')}?{filters.query(figure=name, stage=stage)}"
    return format_html(
        '<a class="figure" href="{}" title="{}">{}<span class="visually-hidden"> {}</span></a>',
        url,
        title,
        text,
        title,
    )


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
def median(time: TimeInStage) -> str:
    return wording.quantile(time.median, time)


@register.filter
def ninetieth(time: TimeInStage) -> str:
    return wording.quantile(time.p90, time)


@register.filter
def share_step(share: float | None) -> int:
    """A share as one of the 21 widths and shades that the style sheet knows, 0 to 100 by fives."""
    return 0 if share is None else round(share * 20) * 5
