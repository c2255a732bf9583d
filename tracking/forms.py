"""What we ask people about sources of events."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from tracking.models import Source


class SourceForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100)
    kind = forms.ChoiceField(label=_("Kind"), choices=Source.Kind.choices)


class KeyForm(forms.Form):
    is_secret = forms.BooleanField(required=False, widget=forms.HiddenInput)
