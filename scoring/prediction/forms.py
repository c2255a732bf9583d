"""What we ask: what to predict, what the columns of a file mean, what a colleague knows better."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from leads import importing
from leads.import_models import Import
from leads.imports.dates import DateOrder
from leads.imports.profile import Column
from leads.imports.values import read_boolean
from leads.stages import Stage
from scoring.prediction.choices import FileChoices
from scoring.prediction.overriding import LONGEST_REASON
from scoring.prediction_models import DEFAULT_HORIZON, LONGEST_HORIZON, OUTCOMES

REACHED, MISSED, NEITHER = "reached", "missed", ""
MEANINGS = (
    (NEITHER, _("Leave these rows out")),
    (REACHED, _("The outcome came")),
    (MISSED, _("It did not come")),
)
WON = frozenset({"won", "closed won", "converted", "customer", "success"})
LOST = frozenset({"lost", "closed lost", "not converted", "rejected", "failure"})


class TrainingForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("Predict that a lead reaches"),
        choices=[(stage.value, stage.label) for stage in OUTCOMES],
        initial=Stage.CUSTOMER,
    )
    horizon_days = forms.IntegerField(
        label=_("Within so many days"),
        min_value=1,
        max_value=LONGEST_HORIZON,
        initial=DEFAULT_HORIZON,
    )


class OverrideForm(forms.Form):
    percent = forms.FloatField(label=_("Your own estimate in %"), min_value=0, max_value=100)
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON)


class OutcomeForm(forms.Form):
    """First of two steps: which column holds the outcome."""

    outcome = forms.ChoiceField(label=_("Column with the outcome"))

    def __init__(self, job: Import, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        columns = [c for c in importing.columns_of(job) if 2 <= len(c.values) <= 60]
        self.fields["outcome"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose …")),
            *((c.name, c.name) for c in columns),
        ]


class WorkbenchForm(forms.Form):
    """What the values of the outcome mean, which column orders the rows, what is left out.

    One field `value_<n>` per different value of the outcome.
    """

    order = forms.ChoiceField(
        label=_("Column that orders the rows in time"),
        help_text=_("A date, or a number that grows with time, such as a lead number."),
    )
    date_order = forms.ChoiceField(
        label=_("Order of dates"),
        choices=[("", _("As the file says")), *DateOrder.choices],
        required=False,
    )
    left_out = forms.MultipleChoiceField(
        label=_("Columns to leave out"),
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        help_text=_("Everything that is filled in only after the outcome."),
    )

    def __init__(self, job: Import, outcome: Column, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.outcome = outcome
        columns = [c for c in importing.columns_of(job) if c.name != outcome.name]
        ordered = [c for c in columns if c.kind in ("number", "date")]
        self.fields["order"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose …")),
            *((c.name, c.name) for c in ordered),
        ]
        self.fields["left_out"].choices = [  # type: ignore[attr-defined]
            (c.name, c.name) for c in columns
        ]
        for place, value in enumerate(outcome.values):
            self.fields[f"value_{place}"] = forms.ChoiceField(
                label=value, choices=MEANINGS, required=False, initial=_meaning_of(value)
            )

    def value_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("value_")]

    def to_choices(self) -> FileChoices:
        said = self.cleaned_data
        means = {value: said[f"value_{place}"] for place, value in enumerate(self.outcome.values)}
        return FileChoices(
            outcome=self.outcome.name,
            reached=tuple(value for value, meaning in means.items() if meaning == REACHED),
            missed=tuple(value for value, meaning in means.items() if meaning == MISSED),
            order=said["order"],
            left_out=tuple(name for name in said["left_out"] if name != said["order"]),
            date_order=said["date_order"],
        )


def _meaning_of(value: str) -> str:
    """What a value of the outcome most likely means."""
    if value.lower() in WON or read_boolean(value) is True:
        return REACHED
    if value.lower() in LOST or read_boolean(value) is False:
        return MISSED
    return NEITHER
