"""What we ask people about a lead, and the wording."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _

from leads import custom_fields
from leads.editing import EDITABLE
from leads.models import BuyingRole, Consent, CustomField, Lead
from leads.refusals import Refused
from leads.transitions import Action
from users.models import User

CUSTOM_PREFIX = "custom_"


class LeadForm(forms.ModelForm):
    """Details of a person with the organisation's own fields. Writes nothing."""

    company = forms.CharField(
        label=_("Company"),
        required=False,
        max_length=200,
        help_text=_("Joins the account of this name; a new name makes a new account."),
        widget=forms.TextInput(attrs={"list": "known-accounts", "autocomplete": "off"}),
    )

    class Meta:
        model = Lead
        fields = (
            *("first_name", "last_name", "email", "phone", "title", "country"),
            *("persona", "channel", "source", "medium", "campaign"),
        )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.definitions = custom_fields.definitions(CustomField.Target.LEAD)
        account = self.instance.account
        self.initial["company"] = account.name if account else self.instance.company
        for field in self.definitions:
            name = f"{CUSTOM_PREFIX}{field.key}"
            self.fields[name] = _form_field(field)
            self.initial[name] = self.instance.custom.get(field.key)

    def validate_unique(self) -> None:
        """Left to leads/editing.py, which says it in a way that gives nobody away."""

    def validate_constraints(self) -> None:
        """As above."""

    def clean(self) -> dict:
        cleaned = super().clean() or self.cleaned_data
        if not any(cleaned.get(name) for name in ("email", "last_name", "company")):
            self.add_error(None, _("Give at least an e-mail address, a last name or a company."))
        for field in self.definitions:
            name = f"{CUSTOM_PREFIX}{field.key}"
            if name not in cleaned:
                continue
            try:
                cleaned[name] = custom_fields.clean_value(field, cleaned[name])
            except Refused as refusal:
                self.add_error(name, str(refusal))
        return cleaned

    def changes(self) -> dict:
        """The standard fields whose value differs from what the form showed."""
        return {n: self.cleaned_data[n] for n in self.changed_data if n in EDITABLE}

    def profile(self) -> dict:
        return {n: self.cleaned_data[n] for n in EDITABLE if n in self.cleaned_data}

    def new_company(self) -> str | None:
        """None when the company was left as it is."""
        return self.cleaned_data["company"] if "company" in self.changed_data else None

    def custom(self) -> dict:
        """The organisation's own fields by key; None where one is blank."""
        names = {f"{CUSTOM_PREFIX}{field.key}": field.key for field in self.definitions}
        return {key: self.cleaned_data.get(name) for name, key in names.items()}

    @property
    def contact_fields(self) -> list[forms.BoundField]:
        return [self[n] for n in ("first_name", "last_name", "email", "phone", "title", "country")]

    @property
    def company_fields(self) -> list[forms.BoundField]:
        return [self[n] for n in ("company", "persona")]

    @property
    def origin_fields(self) -> list[forms.BoundField]:
        return [self[n] for n in ("channel", "source", "medium", "campaign")]

    @property
    def own_fields(self) -> list[forms.BoundField]:
        return [self[f"{CUSTOM_PREFIX}{field.key}"] for field in self.definitions]


def _form_field(field: CustomField) -> forms.Field:
    common: dict[str, Any] = {"label": field.label, "required": False}
    if field.kind == CustomField.Kind.NUMBER:
        return forms.FloatField(**common, widget=forms.NumberInput(attrs={"step": "any"}))
    if field.kind == CustomField.Kind.DATE:
        return forms.DateField(**common, widget=forms.DateInput(attrs={"type": "date"}))
    if field.kind == CustomField.Kind.BOOLEAN:
        answers = [("", "–"), ("true", _("yes")), ("false", _("no"))]
        return _AnswerField(choices=answers, **common)
    if field.kind == CustomField.Kind.CHOICE:
        return forms.ChoiceField(choices=[("", "–"), *((c, c) for c in field.choices)], **common)
    return forms.CharField(**common, max_length=custom_fields.LONGEST_TEXT)


class _AnswerField(forms.ChoiceField):
    """Yes, no, or not known."""

    def prepare_value(self, value: object) -> object:
        return str(value).lower() if isinstance(value, bool) else value

    def has_changed(self, initial: object, data: object) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class TransitionForm(forms.Form):
    """One move of a lead. `expected_seq` is the newest episode the person had seen."""

    action = forms.ChoiceField(choices=Action.choices, widget=forms.HiddenInput())
    expected_seq = forms.IntegerField(widget=forms.HiddenInput(), min_value=1)
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    not_before_on = forms.DateField(
        label=_("Not back to sales before"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )


class AssignmentForm(forms.Form):
    """`people`: those whom this manager may choose."""

    def __init__(self, *args, people: QuerySet[User], **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"] = forms.ModelChoiceField(
            people, label=_("Owner"), required=False, empty_label=_("Nobody")
        )


class BuyingRoleForm(forms.Form):
    kind = forms.ChoiceField(label=_("Buying role"), choices=BuyingRole.Kind.choices)


class ConsentForm(forms.Form):
    """A consent or a withdrawal that somebody told a colleague."""

    purpose = forms.ChoiceField(label=_("Allows"), choices=Consent.Purpose.choices)
    is_granted = forms.TypedChoiceField(
        label=_("Answer"),
        choices=[("yes", _("given")), ("no", _("withdrawn"))],
        coerce=lambda value: value == "yes",
    )
    given_on = forms.DateField(
        label=_("On"), initial=localdate, widget=forms.DateInput(attrs={"type": "date"})
    )
    evidence = forms.CharField(
        label=_("How we know"),
        max_length=400,
        widget=forms.TextInput(attrs={"placeholder": _("Signed form at the fair, call on …")}),
    )
