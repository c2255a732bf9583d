"""What sales is asked, and in which words."""

from __future__ import annotations

from typing import cast

from django import forms
from django.utils.translation import gettext as _translate
from django.utils.translation import gettext_lazy as _

from sales.bant import Line
from sales.models import BantAnswer, Opportunity, Product
from sales.opportunities import FIELDS
from sales.products import find_product, normalise_name
from users.models import User

ACCEPT, REJECT = "accept", "reject"


class DecisionForm(forms.Form):
    """Accept or reject. A reason belongs to a rejection only."""

    decision = forms.ChoiceField(choices=[(ACCEPT, _("Accept")), (REJECT, _("Reject"))])
    reason_code = forms.SlugField(required=False)
    note = forms.CharField(required=False, max_length=2000)
    not_before_on = forms.DateField(required=False)


class AssignmentForm(forms.Form):
    """To whom a hand-off goes; nobody puts it into the queue."""

    assignee = forms.ModelChoiceField(User.objects.none(), required=False)
    note = forms.CharField(required=False, max_length=500)

    def __init__(self, reps: list[User], *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        choice = cast(forms.ModelChoiceField, self.fields["assignee"])
        choice.queryset = User.objects.filter(pk__in=[rep.pk for rep in reps])


class BantForm(forms.Form):
    """All four letters at once; what did not change is not recorded again."""

    def __init__(self, lines: list[Line], *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.lines = lines
        for line in lines:
            self.fields[f"{line.letter}_verdict"] = forms.ChoiceField(
                label=str(line.label),
                choices=BantAnswer.Verdict.choices,
                initial=line.verdict,
                required=False,
            )
            self.fields[f"{line.letter}_evidence"] = forms.CharField(
                label=_("How we know: %(letter)s") % {"letter": line.label},
                initial=line.evidence,
                required=False,
                max_length=500,
            )

    def rows(self) -> list[tuple[Line, forms.BoundField, forms.BoundField]]:
        """Each letter with its two fields."""
        return [
            (line, self[f"{line.letter}_verdict"], self[f"{line.letter}_evidence"])
            for line in self.lines
        ]

    def changed_answers(self) -> list[tuple[str, str, str]]:
        """(letter, verdict, evidence) of every letter that says something new."""
        answers = [(line, *self._answer_to(line)) for line in self.lines]
        return [
            (line.letter, verdict, evidence)
            for line, verdict, evidence in answers
            if (verdict, evidence) != (line.verdict, line.evidence)
        ]

    def _answer_to(self, line: Line) -> tuple[str, str]:
        verdict = self.cleaned_data[f"{line.letter}_verdict"] or BantAnswer.Verdict.UNKNOWN
        return verdict, self.cleaned_data[f"{line.letter}_evidence"]


class OpportunityForm(forms.ModelForm):
    """What a rep keeps up to date about a deal. Saved by sales/opportunities.py."""

    class Meta:
        model = Opportunity
        fields = FIELDS
        widgets = {
            name: forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
            for name in FIELDS
            if name.endswith("_on")
        } | {
            "amount": forms.NumberInput(attrs={"min": 0, "step": "0.01", "inputmode": "decimal"}),
            "probability": forms.NumberInput(attrs={"min": 0, "max": 100, "step": 5}),
            "currency": forms.TextInput(attrs={"maxlength": 3, "size": 4}),
        }

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        choice = cast(forms.ModelChoiceField, self.fields["product"])
        choice.queryset = Product.objects.filter(is_active=True)

    def clean_currency(self) -> str:
        currency = self.cleaned_data["currency"].upper()
        if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
            raise forms.ValidationError(_translate("Three letters, such as EUR."))
        return currency


class ProductForm(forms.ModelForm):
    """A product in the admin; one spelling of a name is enough."""

    class Meta:
        model = Product
        fields = ("name", "is_active")

    def clean_name(self) -> str:
        name = self.cleaned_data["name"].strip()
        if not normalise_name(name):
            raise forms.ValidationError(_translate("A name needs a letter or a digit."))
        same = find_product(name)
        if same is not None and same.pk != self.instance.pk:
            raise forms.ValidationError(
                _translate("This is another spelling of “%(name)s”.") % {"name": same}
            )
        return name


class OutcomeForm(forms.Form):
    """Won or lost, and why."""

    outcome = forms.ChoiceField(
        choices=[(Opportunity.Outcome.WON, _("Won")), (Opportunity.Outcome.LOST, _("Lost"))]
    )
    reason = forms.CharField(required=False, max_length=2000)
