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
def icon(name: str, label: str = "") -> str:
    """Draw templates/icons/<name>.html; an unknown name is a point. `label` is read aloud."""
    drawing = _drawing(name if KNOWN_NAME.fullmatch(name or "") else "point")
    if not label:
        return drawing
    return format_html('{}<span class="visually-hidden">{}</span>', drawing, label)


def _drawing(name: str) -> str:
    try:
        return get_template(f"icons/{name}.html").render()
    except TemplateDoesNotExist:
        return get_template("icons/point.html").render()


@register.simple_tag
def control(bound: BoundField) -> SafeString:
    """Draw only the input of a form field, in the looks of the shell."""
    widget = bound.field.widget
    css = "form-control"
    if isinstance(widget, forms.CheckboxInput):
        css = "form-check-input"
    elif isinstance(widget, forms.Select):
        css = "form-select"
    if bound.errors:
        css += " is-invalid"
    css = f"{widget.attrs.get('class', '')} {css}".strip()
    return bound.as_widget(attrs={"class": css})


@register.inclusion_tag("partials/field.html")
def field(bound: BoundField) -> dict:
    """Draw one form field with label, hint and errors, tied together for screen readers."""
    is_check = isinstance(bound.field.widget, forms.CheckboxInput)
    return {"bound": bound, "widget": control(bound), "is_check": is_check}


@register.inclusion_tag("partials/fields.html")
def fields(form: forms.BaseForm) -> dict:
    """Draw all fields of a form, and above them what is wrong with the whole."""
    return {"form": form}
