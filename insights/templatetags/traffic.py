"""Figures of “Traffic” that open what is behind them."""

from __future__ import annotations

from django import template
from django.template.context import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from insights import wording
from insights.traffic.definitions import DEFINITIONS
from insights.traffic.filters import TrafficFilters
from leads.channels import Channel
from leads.stages import Stage

register = template.Library()


@register.simple_tag(takes_context=True)
def visits_figure(
    context: Context,
    figure: str,
    count: int,
    name: str | None = None,
    path: str = "",
    raw: str = "",
) -> SafeString:
    """A count of visits as a link to them. `name`: only those of this line of the table."""
    filters = _within(context["filters"], name)
    return _link("traffic:visits", count, filters.query(figure=figure, path=path, raw=raw))


@register.simple_tag(takes_context=True)
def leads_figure(
    context: Context, stage: str, count: int, name: str | None = None, path: str = ""
) -> SafeString:
    """A count of leads as a link to them."""
    filters = _within(context["filters"], name)
    return _link("traffic:leads", count, filters.query(stage=stage, path=path))


def _within(filters: TrafficFilters, name: str | None) -> TrafficFilters:
    return filters if name is None else filters.within(**{filters.by: name})


def _link(view: str, count: int, query: str) -> SafeString:
    text = wording.whole(count)
    if not count:
        return format_html('<span class="count-none">{}</span>', text)
    return format_html('<a class="count" href="{}?{}">{}</a>', reverse(view), query, text)


@register.simple_tag
def traffic_definition(name: str) -> SafeString:
    return format_html(
        '<button type="button" class="define d-print-none" popovertarget="define-{}" '
        'aria-label="{}">?</button>',
        name,
        _("What “%(figure)s” means") % {"figure": DEFINITIONS[name][0]},
    )


@register.filter
def spent(milliseconds: float | None) -> str:
    """1:05 min, 12 s, and – where nothing was measured."""
    if not milliseconds:
        return wording.NOTHING
    seconds = round(milliseconds / 1000)
    if seconds < 60:
        return _("%(n)s s") % {"n": seconds}
    return _("%(minutes)s:%(seconds)02d min") % {
        "minutes": wording.whole(seconds // 60),
        "seconds": seconds % 60,
    }


@register.simple_tag
def line_name(by: str, name: str) -> str:
    """A channel by its label; a source or campaign as it is."""
    if by == "channel":
        return str(Channel(name).label) if name in Channel.values else name
    return name or _("(none)")


@register.filter
def goal_label(stage: str) -> str:
    return str(Stage(stage).label)


@register.simple_tag(takes_context=True)
def traffic_query(context: Context, **more: str) -> str:
    """The address with other parameters."""
    return context["filters"].query(**more)
