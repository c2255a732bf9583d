"""What we ask about a channel rule, and about an address to try the rules on."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from leads.channels import Channel
from tracking.channel_models import ChannelRule, Operator, Subject

_NOTHING = [("", _("nothing else"))]


class WordsField(forms.CharField):
    """Words in a text area, apart by commas or lines."""

    widget = forms.Textarea

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=20_000, **kwargs)
        self.widget.attrs["rows"] = 2

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [word.strip() for word in re.split(r"[,\n]", value or "") if word.strip()]

    def validate(self, value: Any) -> None:
        """Left to tracking/channel_rules.py."""

    def run_validators(self, value: Any) -> None:
        super().run_validators(", ".join(value))


class RuleForm(forms.Form):
    """A rule. Writes nothing."""

    subject = forms.ChoiceField(label=_("Looks at"), choices=Subject.choices)
    operator = forms.ChoiceField(label=_("which"), choices=Operator.choices)
    values = WordsField(
        label=_("Values"),
        help_text=_("Apart by commas. Capitals do not matter; - and _ count as blanks."),
    )
    also_subject = forms.ChoiceField(
        label=_("and at"), choices=_NOTHING + Subject.choices, required=False
    )
    also_operator = forms.ChoiceField(label=_("which"), choices=Operator.choices, required=False)
    also_values = WordsField(label=_("Values"))
    channel = forms.ChoiceField(
        label=_("Channel"),
        choices=[choice for choice in Channel.choices if choice[0] != Channel.UNKNOWN],
    )
    source = forms.CharField(
        label=_("Source"),
        required=False,
        max_length=100,
        help_text=_("The name of the source where the link has none; else the referring domain."),
    )
    medium = forms.CharField(label=_("Medium"), required=False, max_length=100)
    is_active = forms.BooleanField(label=_("Active"), required=False, initial=True)

    @classmethod
    def of(cls, rule: ChannelRule, data: Any = None) -> RuleForm:
        return cls(data, initial={name: getattr(rule, name) for name in cls.base_fields})


class TryForm(forms.Form):
    """An address to try the rules on."""

    url = forms.CharField(
        label=_("Address of the page"),
        required=False,
        max_length=4000,
        widget=forms.TextInput(
            attrs={"placeholder": "https://www.example.com/?utm_source=news", "inputmode": "url"}
        ),
    )
    referrer = forms.CharField(
        label=_("Referrer"),
        required=False,
        max_length=4000,
        widget=forms.TextInput(
            attrs={"placeholder": "https://www.google.com/", "inputmode": "url"}
        ),
    )
