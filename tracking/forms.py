"""What we ask people about sources of events."""

from __future__ import annotations

import json

from django import forms
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from tracking.collector.keys import PUBLIC_BURST, PUBLIC_PER_SECOND
from tracking.models import Scope, Source
from users.json_text import JSONText

_EMPTY_SECRET = _("In the long run, for each web process. Empty: as many as can be stored.")


class SourceForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100)
    kind = forms.ChoiceField(label=_("Kind"), choices=Source.Kind.choices)


class KeyForm(forms.Form):
    is_secret = forms.BooleanField(required=False, widget=forms.HiddenInput)


class KeyLimitsForm(forms.Form):
    """What a key is good for. A public key is asked for origins, a secret one for scopes."""

    allowed_origins = forms.CharField(
        label=_("Websites that may send"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=_(
            "One on each line: https://www.example.com, www.example.com or *.example.com."
            " Empty: every website."
        ),
    )
    per_second = forms.IntegerField(
        label=_("Messages per second"),
        required=False,
        min_value=1,
        max_value=1_000_000,
        help_text=format_lazy(
            _("In the long run, for each web process. Empty: {usual}, and {burst} after a pause."),
            usual=PUBLIC_PER_SECOND,
            burst=intcomma(PUBLIC_BURST, use_l10n=False),
        ),
    )
    burst = forms.IntegerField(
        label=_("At once after a pause"),
        required=False,
        min_value=1,
        max_value=10_000_000,
        help_text=_("Empty: twice as many as per second, if a number stands there."),
    )

    def __init__(self, *args, is_secret: bool, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if is_secret:
            del self.fields["allowed_origins"]
            self.fields["per_second"].help_text = _EMPTY_SECRET
            scopes = {
                scope.value: forms.BooleanField(label=scope.label, required=False)
                for scope in Scope
            }
            self.fields = {**scopes, **self.fields}

    def limits(self) -> dict:
        """The arguments of keys.restrict_key."""
        said = self.cleaned_data
        return {
            "allowed_origins": said.get("allowed_origins", "").splitlines(),
            "scopes": [scope.value for scope in Scope if said.get(scope.value)],
            "per_second": said["per_second"],
            "burst": said["burst"],
        }


class IndentedJSONField(JSONText):
    """JSON as people read it."""

    def prepare_value(self, value: object) -> str:
        if isinstance(value, str):  # what was typed
            return value
        return json.dumps(value, indent=2, ensure_ascii=False)


class MendForm(forms.Form):
    """A refused message, to be set right."""

    message = IndentedJSONField(
        label=_("Message"), widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "false"})
    )


class RetentionForm(forms.Form):
    """How many days what is kept."""

    anonymous_days = forms.IntegerField(
        label=_("Events of visitors nobody knows, in days"), min_value=30, max_value=3650
    )
    machine_days = forms.IntegerField(
        label=_("Events of machines that belong to no lead, in days"), min_value=7, max_value=3650
    )
    inspected_days = forms.IntegerField(
        label=_("Messages in the debugger, in days"), min_value=1, max_value=30
    )
