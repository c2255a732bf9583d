"""What a column can be mapped to: the fields of a target, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from leads.stages import EXITS, FUNNEL, Stage


class Kind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole"
    DATE = "date"  # a calendar day
    MOMENT = "moment"  # an instant, or a whole day in the reporting time zone
    BOOLEAN = "boolean"
    COUNTRY = "country"
    CHANNEL = "channel"
    STAGE = "stage"
    CHOICE = "choice"
    ID = "id"


KIND_LABELS = {
    Kind.TEXT: _("a text"),
    Kind.NUMBER: _("a number"),
    Kind.WHOLE: _("a whole number"),
    Kind.DATE: _("a date"),
    Kind.MOMENT: _("a date"),
    Kind.BOOLEAN: _("yes or no"),
    Kind.COUNTRY: _("a country"),
    Kind.CHANNEL: _("a channel"),
    Kind.STAGE: _("a stage"),
    Kind.CHOICE: _("one of the choices"),
    Kind.ID: _("an id"),
}


@dataclass(frozen=True)
class Field:
    """One thing a cell can become. `is_constant`: one value may be given for all rows."""

    key: str
    label: str | Promise
    group: str | Promise
    kind: str = Kind.TEXT
    max_length: int = 0
    is_constant: bool = False
    choices: tuple[str, ...] = ()


ENTERED = "entered:"
CUSTOM = "custom:"
EXTERNAL_ID = "external_id"
STAGE = "stage"
OUTCOME_AT = "outcome_at"
OWNER = "owner"
ACCOUNT = "account"
MAIL_OPT_OUT = "mail_opt_out"
MAIL_CONSENT = "mail_consent"

_PERSON, _COMPANY, _ORIGIN = _("Person"), _("Company"), _("Where from")
_STAGES, _OTHER = _("Stage history"), _("Other")


def _entered(stage: Stage) -> Promise:
    return format_lazy("{entered}: {stage}", entered=_("Date entered"), stage=stage.label)


LEAD_FIELDS = (
    Field(EXTERNAL_ID, _("Id in another system"), _PERSON, Kind.ID, 255),
    Field("email", _("E-mail"), _PERSON, Kind.TEXT, 254),
    Field("first_name", _("First name"), _PERSON, Kind.TEXT, 100),
    Field("last_name", _("Last name"), _PERSON, Kind.TEXT, 100),
    Field("full_name", _("First and last name"), _PERSON, Kind.TEXT, 200),
    Field("title", _("Job title"), _PERSON, Kind.TEXT, 150),
    Field("phone", _("Phone"), _PERSON, Kind.TEXT, 50),
    Field("country", _("Country"), _PERSON, Kind.COUNTRY, is_constant=True),
    Field("persona", _("Persona"), _PERSON, Kind.TEXT, 100, is_constant=True),
    Field("company", _("Company, as text"), _COMPANY, Kind.TEXT, 200),
    Field(ACCOUNT, _("Account (new ones are created)"), _COMPANY, Kind.TEXT, 200),
    Field("channel", _("Channel"), _ORIGIN, Kind.CHANNEL, is_constant=True),
    Field("source", _("Source"), _ORIGIN, Kind.TEXT, 100, is_constant=True),
    Field("medium", _("Medium"), _ORIGIN, Kind.TEXT, 100, is_constant=True),
    Field("campaign", _("Campaign"), _ORIGIN, Kind.TEXT, 200, is_constant=True),
    Field(STAGE, _("Stage reached, or way out"), _STAGES, Kind.STAGE, is_constant=True),
    *(
        Field(f"{ENTERED}{stage.value}", _entered(stage), _STAGES, Kind.MOMENT)
        for stage in (*FUNNEL, *EXITS)
        if stage != Stage.MERGED
    ),
    Field(OUTCOME_AT, _("Date of the outcome (won, lost, …)"), _STAGES, Kind.MOMENT),
    Field(OWNER, _("Owner (name or e-mail of a user)"), _OTHER, Kind.TEXT, 254),
    Field(MAIL_CONSENT, _("Agreed to e-mail"), _OTHER, Kind.BOOLEAN),
    Field(MAIL_OPT_OUT, _("Does not want e-mail"), _OTHER, Kind.BOOLEAN),
)

ACCOUNT_FIELDS = (
    Field("name", _("Name"), _COMPANY, Kind.TEXT, 200),
    Field("domain", _("Domain"), _COMPANY, Kind.TEXT, 253),
    Field("industry", _("Industry"), _COMPANY, Kind.TEXT, 100, is_constant=True),
    Field("country", _("Country"), _COMPANY, Kind.COUNTRY, is_constant=True),
    Field("employee_count", _("Employees"), _COMPANY, Kind.WHOLE),
    Field("revenue_amount", _("Yearly revenue"), _COMPANY, Kind.NUMBER),
    Field("revenue_currency", _("Currency"), _COMPANY, Kind.TEXT, 3, is_constant=True),
)
