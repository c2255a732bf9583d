"""What admins fill in about criteria and fields of their own."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from leads import criteria, custom_fields
from leads.models import Account, Criterion, CustomField
from leads.refusals import Refused
from leads.stages import FUNNEL


def _offer(form: forms.BaseForm, name: str, choices: list[tuple[str, str]]) -> None:
    """Let a choice field of this form offer these."""
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices


class CriterionForm(forms.ModelForm):
    """The kind is one that some app knows how to check; its settings are checked by it."""

    kind = forms.ChoiceField(label=_("kind"))

    class Meta:
        model = Criterion
        fields = ("stage", "kind", "params", "is_active", "position")

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "kind", criteria.kinds())
        _offer(self, "stage", [(stage.value, str(stage.label)) for stage in FUNNEL])
        self.fields["params"].widget = forms.Textarea(attrs={"rows": 3, "cols": 60})
        self.fields["params"].help_text = _(
            'JSON, for example {"minimum": 3} or {"roles": ["decision_maker"]}; '
            "{} where the kind has no settings."
        )

    def clean(self) -> dict:
        cleaned = super().clean() or self.cleaned_data
        if "kind" in cleaned and "params" in cleaned:
            try:
                criteria.check_params(cleaned["kind"], cleaned["params"])
            except Refused as refusal:
                self.add_error("params", str(refusal))
        return cleaned


class CustomFieldForm(forms.ModelForm):
    choices = forms.CharField(
        label=_("choices"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("For the type Choice: one per line."),
    )

    class Meta:
        model = CustomField
        fields = ("target", "key", "label", "kind", "choices", "position")

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.initial["choices"] = "\n".join(map(str, self.instance.choices))

    def clean_choices(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["choices"].splitlines()]
        return list(dict.fromkeys(line for line in lines if line))

    def clean(self) -> dict:
        cleaned = super().clean() or self.cleaned_data
        kind = cleaned.get("kind") or self.instance.kind
        if kind == CustomField.Kind.CHOICE and not cleaned.get("choices"):
            self.add_error("choices", _("A choice needs something to choose from."))
        if kind != CustomField.Kind.CHOICE and cleaned.get("choices"):
            self.add_error("choices", _("Only the type Choice has choices."))
        return cleaned


class AccountForm(forms.ModelForm):
    class Meta:
        model = Account
        fields = (
            *("name", "domain", "industry", "country", "employee_count"),
            *("revenue_amount", "revenue_currency", "custom"),
        )

    def clean_domain(self) -> str:
        return self.cleaned_data["domain"].strip().lower()

    def clean_custom(self) -> dict:
        raw = self.cleaned_data["custom"] or {}
        if not isinstance(raw, dict):
            raise forms.ValidationError(_('Own fields are written as {"key": value}.'))
        try:
            fields = custom_fields.definitions(CustomField.Target.ACCOUNT)
            return custom_fields.clean_values(fields, raw)
        except Refused as refusal:
            raise forms.ValidationError(str(refusal)) from None
