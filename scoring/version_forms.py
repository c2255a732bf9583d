"""What people are asked on the page of a version."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from scoring.models import Publication
from scoring.publishing import MOST_HANDOFFS, Plan


class PublicationForm(forms.Form):
    """For whom it is published, and how fast those whom it makes ready go to sales."""

    scope = forms.ChoiceField(
        label=_("Score by it"),
        choices=Publication.Scope.choices,
        initial=Publication.Scope.ALL,
        widget=forms.RadioSelect,
    )
    daily_handoffs = forms.IntegerField(
        label=_("Hand over at most so many a day"),
        required=False,
        min_value=1,
        max_value=MOST_HANDOFFS,
        help_text=_(
            "Of the leads that it makes ready by itself, the best first. Who does something "
            "goes at once. Empty: all at once."
        ),
    )

    def plan(self) -> Plan:
        return Plan(self.cleaned_data["scope"], self.cleaned_data["daily_handoffs"])


class ReviewForm(forms.Form):
    """When the version that stays as it is is to be reviewed next."""

    next_on = forms.DateField(
        label=_("Next review"), widget=forms.DateInput(attrs={"type": "date"})
    )
