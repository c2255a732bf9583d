"""What every page draws: icons, form fields, badges."""

from __future__ import annotations

import re

from django import forms, template
from django.forms.boundfield import BoundField
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


@register.inclusion_tag("partials/field.html")
def field(bound: BoundField) -> dict:
    """Draw one form field with label, hint and errors, tied together for screen readers."""
    widget = bound.field.widget
    is_check = isinstance(widget, forms.CheckboxInput)
    css = "form-check-input" if is_check else "form-control"
    if isinstance(widget, forms.Select):
        css = "form-select"
    if bound.errors:
        css += " is-invalid"
    css = f"{widget.attrs.get('class', '')} {css}".strip()
    return {"bound": bound, "widget": bound.as_widget(attrs={"class": css}), "is_check": is_check}


@register.inclusion_tag("partials/fields.html")
def fields(form: forms.BaseForm) -> dict:
    """Draw all fields of a form, and above them what is wrong with the whole."""
    return {"form": form}
