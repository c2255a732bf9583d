"""Fields, reasons and verdicts of the predictive score in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.channels import Channel
from leads.countries import Countries
from scoring.models import Signal
from scoring.vocabulary import Axis
from tracking.events import describe

_OWN: dict[str, str | Promise] = {
    "known_days": gettext_lazy("Days since the lead became known"),
    "lead:channel": gettext_lazy("Channel"),
    "lead:source": gettext_lazy("Source"),
    "lead:medium": gettext_lazy("Medium"),
    "lead:campaign": gettext_lazy("Campaign"),
    "lead:country": gettext_lazy("Country"),
    "lead:email_type": gettext_lazy("Type of e-mail address"),
    "account:industry": gettext_lazy("Industry of the account"),
    "account:employee_count": gettext_lazy("Employees of the account"),
    "account:country": gettext_lazy("Country of the account"),
    "account:colleagues": gettext_lazy("Known colleagues in the account"),
    "events:recent": gettext_lazy("Activities of the last 30 days"),
    "events:count": gettext_lazy("Activities so far"),
    "events:active_days": gettext_lazy("Days with activity"),
    "events:days_since_last": gettext_lazy("Days since the last activity"),
}
STEPS: dict[str, str | Promise] = {
    "reading": gettext_lazy("Reading what was known of each lead at its time"),
    "splitting": gettext_lazy("Setting the newest rows aside"),
    "leaks": gettext_lazy("Looking for fields that know too much"),
    "choosing": gettext_lazy("Trying kinds of models"),
    "fitting": gettext_lazy("Learning"),
    "judging": gettext_lazy("Judging on the newest rows"),
    "weighing": gettext_lazy("Weighing the factors"),
}
KINDS: dict[str, str | Promise] = {
    "linear": gettext_lazy("regularised logistic regression"),
    "boosted": gettext_lazy("gradient boosting"),
}


@dataclass(frozen=True)
class Labels:
    """Names of fields for people; `signals` are the words of the signals of fit by key."""

    signals: dict[str, str]

    @classmethod
    def of_leads(cls) -> Labels:
        """One query."""
        return cls({s.key: s.words for s in Signal.objects.filter(axis=Axis.FIT)})

    def of(self, name: str) -> str:
        """A field of a file is called what the file calls it."""
        if name in _OWN:
            return str(_OWN[name])
        what, _colon, rest = name.partition(":")
        if what == "fit":
            return self.signals.get(rest, rest)
        if what == "count":
            return _("%(kind)s, so often") % {"kind": describe(rest).label}
        if what == "recent":
            return _("%(kind)s, lately") % {"kind": describe(rest).label}
        return name


def value_words(name: str, value: str) -> str:
    """The value of a field as people read it; `value` is empty when it is not known."""
    if not value:
        return _("not known")
    if name == "lead:channel" and value in Channel.values:
        return str(Channel(value).label)
    if name in ("lead:country", "account:country"):
        return str(Countries().name(value) or value)
    if name.startswith("fit:"):
        return _("yes") if value == "yes" else _("no")
    if name in _OWN or name.startswith(("count:", "recent:")):
        return _rounded(value)
    return value


def _rounded(value: str) -> str:
    try:
        number = float(value)
    except ValueError:
        return value
    return number_format(round(number, 1), 0 if number == int(number) else 1)


@dataclass(frozen=True)
class Reason:
    """One thing that moved a prediction. `strength` 1..3."""

    label: str
    value: str
    raises: bool
    strength: int


def reasons_in_words(reasons: list[dict[str, Any]], labels: Labels) -> list[Reason]:
    return [
        Reason(
            label=labels.of(one["field"]),
            value=value_words(one["field"], one["value"]),
            raises=one["effect"] > 0,
            strength=1 + (abs(one["effect"]) >= 0.3) + (abs(one["effect"]) >= 0.8),
        )
        for one in reasons
    ]


def leak_words(leak: dict[str, Any], labels: Labels) -> str:
    names = {"field": labels.of(leak["field"])}
    if leak["kind"] == "alone":
        return _(
            "“%(field)s” alone tells the outcome too well (AUC %(auc)s). Is it filled in after it?"
        ) % {**names, "auc": number_format(leak["value"], 2)}
    return _("Where “%(field)s” is filled in, %(share)s %% of the rows have the same outcome.") % {
        **names,
        "share": number_format(100 * leak["value"], 0),
    }
