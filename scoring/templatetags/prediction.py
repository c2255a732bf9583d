"""The predictive score on pages of others."""

from __future__ import annotations

from django import template

from leads.models import Lead
from scoring.prediction import queries
from scoring.prediction.forms import OverrideForm

register = template.Library()


@register.inclusion_tag("scoring/prediction/_panel.html", takes_context=True)
def prediction_panel(context: template.RequestContext, lead: Lead) -> dict:
    """How likely this lead reaches the outcome, and why; nothing while that is off."""
    return {
        "panel": queries.panel(lead),
        "form": OverrideForm(),
        "request": context.get("request"),
        "csrf_token": context.get("csrf_token"),
    }
