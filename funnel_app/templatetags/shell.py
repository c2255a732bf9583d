"""What every page draws."""

from __future__ import annotations

import re

from django import template
from django.template.exceptions import TemplateDoesNotExist
from django.template.loader import get_template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()
KNOWN_NAME = re.compile(r"[a-z0-9-]+")


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Draw templates/icons/<name>.html; an unknown name is a point. `label` is read aloud."""
    drawing = _drawing(name if KNOWN_NAME.fullmatch(name or "") else "point")
    if not label:
        return drawing
    return format_html('{}<span class="visually-hidden">{}</span>', drawing, label)


def _drawing(name: str) -> SafeString:
    try:
        return get_template(f"icons/{name}.html").render()
    except TemplateDoesNotExist:
        return get_template("icons/point.html").render()
