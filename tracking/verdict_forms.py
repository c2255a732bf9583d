"""What we ask about a rule that overrules verdicts."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from tracking.events import KINDS
from tracking.models import Source, VerdictRule


class RuleForm(forms.Form):
    effect = forms.ChoiceField(
        label=_("Whatever meets all conditions is"), choices=VerdictRule.Effect.choices
    )
    user_agent = forms.CharField(label=_("User agent contains"), max_length=200, required=False)
    network = forms.CharField(
        label=_("Network"),
        max_length=43,
        required=False,
        help_text=_(
            "Such as 203.0.113.0/24. Only the /24 of an address is stored, of IPv6 the /48."
        ),
    )
    email_domain = forms.CharField(
        label=_("E-mail domain"),
        max_length=200,
        required=False,
        help_text=_("Of the person. If it is one of us: their browsers are noted as well."),
    )
    path = forms.CharField(label=_("Path begins with"), max_length=300, required=False)
    event_kind = forms.CharField(
        label=_("Kind of event"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"list": "event-kinds"}),
    )
    visitor = forms.CharField(label=_("Visitor"), max_length=200, required=False)
    source = forms.ModelChoiceField(
        label=_("Source"), queryset=Source.objects.all(), required=False, empty_label=_("any")
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        help_text=_("It stands beside every event that the rule decides."),
    )

    kinds = sorted(KINDS)
