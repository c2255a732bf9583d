"""How stages, scores and quadrants look, the same on every page."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from leads.models import Standing
from leads.stages import POSITION, Stage

register = template.Library()


@register.simple_tag
def stage_badge(stage: str) -> SafeString:
    """A stage by its name; the shade says how far along the funnel it is."""
    place = f"stage-{POSITION[Stage(stage)]}" if stage in POSITION else "stage-out"
    label = Stage(stage).label if stage in Stage.values else stage
    return format_html('<span class="stage {}">{}</span>', place, label)


@register.filter
def quadrant_label(quadrant: str) -> str:
    known = quadrant in Standing.Quadrant.values
    return str(Standing.Quadrant(quadrant).label) if known else quadrant


# Names of timeline sources that the house registers, for people.
SOURCE_LABELS = {
    "stages": _("Stages"),
    "edits": _("Edits"),
    "consents": _("Consent"),
    "events": _("Activity"),
    "handoffs": _("Hand-offs"),
    "bant": _("BANT"),
    "opportunities": _("Opportunities"),
    "scores": _("Score"),
}


@register.filter
def source_label(name: str) -> str:
    """A timeline source in words."""
    return str(SOURCE_LABELS.get(name, name.replace("_", " ").capitalize()))
