"""The words conditions are made of: axes, frequencies, fields, operators. Nothing else is allowed.

Fields are named here with the SQL that reads them, from the aliases that
folding.py gives the tables: `l` lead, `a` account, `m` mail domain, `e` event.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Axis(models.TextChoices):
    FIT = "fit", _("Fit")
    INTEREST = "interest", _("Interest")


class Frequency(models.TextChoices):
    """Which of the matching events count; always the earliest, so the past never changes."""

    EVERY = "every", _("every time")
    ONCE = "once", _("once")
    PER_PERIOD = "per_period", _("so often per period")
    PER_DISTINCT = "per_distinct", _("once per distinct value")


class Seniority(models.TextChoices):
    """Levels that job titles stand for. Of several in one title the first here holds."""

    LEARNER = "learner", _("student or trainee")
    ASSISTANT = "assistant", _("assistant")
    EXECUTIVE = "executive", _("leads the company")
    VICE_PRESIDENT = "vice_president", _("vice president")
    DIRECTOR = "director", _("heads a department")
    MANAGER = "manager", _("manages a team")
    SPECIALIST = "specialist", _("specialist")


class Department(models.TextChoices):
    MANAGEMENT = "management", _("general management")
    MARKETING = "marketing", _("marketing")
    SALES = "sales", _("sales")
    IT = "it", _("information technology")
    ENGINEERING = "engineering", _("engineering and development")
    OPERATIONS = "operations", _("production and operations")
    PROCUREMENT = "procurement", _("procurement")
    FINANCE = "finance", _("finance")
    PEOPLE = "people", _("human resources")
    LEGAL = "legal", _("legal")
    SERVICE = "service", _("customer service")


class MailKind(models.TextChoices):
    FREE = "free", _("free mail")
    CORPORATE = "corporate", _("a company's")
    ROLE = "role", _("a shared mailbox")
    DISPOSABLE = "disposable", _("throw-away")


class Kind(models.TextChoices):
    TEXT = "text", _("Text")
    NUMBER = "number", _("Number")


@dataclass(frozen=True)
class Field:
    """A field that a condition may look at; `sql` is NULL when it is unknown.

    `choices`: the only values it can have, with their labels. `source`: SQL for the text
    that the dictionaries read its value from (reading_words.py); `sql` is then their column.
    """

    label: str | Promise
    kind: str
    sql: str
    choices: tuple[tuple[str, str | Promise], ...] = ()
    source: str = ""
    is_country: bool = False


def _text(column: str) -> str:
    return f"nullif({column}, '')"


NUMBER = r"^-?[0-9]{1,15}(\.[0-9]{1,10})?$"


def as_number(text_sql: str) -> str:
    """The number in a text, NULL when it is none. Never fails."""
    return f"CASE WHEN {text_sql} ~ '{NUMBER}' THEN ({text_sql})::numeric END"


LEAD_FIELDS: dict[str, Field] = {
    "title": Field(_("job title"), Kind.TEXT, _text("l.title")),
    "company": Field(_("company"), Kind.TEXT, "coalesce(nullif(l.company, ''), a.name)"),
    "country": Field(
        _("country"),
        Kind.TEXT,
        "coalesce(nullif(l.country, ''), nullif(a.country, ''))",
        is_country=True,
    ),
    "industry": Field(
        _("industry"),
        Kind.TEXT,
        "coalesce(nullif(a.industry, ''), nullif(l.custom ->> 'industry', ''))",
    ),
    "company_name": Field(
        _("company, legal form aside"),
        Kind.TEXT,
        "w_company_name.meaning",
        source="coalesce(nullif(l.company, ''), a.name)",
    ),
    "seniority": Field(
        _("seniority"),
        Kind.TEXT,
        "w_seniority.meaning",
        tuple(Seniority.choices),
        "nullif(l.title, '')",
    ),
    "department": Field(
        _("department"),
        Kind.TEXT,
        "w_department.meaning",
        tuple(Department.choices),
        "nullif(l.title, '')",
    ),
    "canonical_industry": Field(
        _("industry by its one name"),
        Kind.TEXT,
        "w_canonical_industry.meaning",
        source="coalesce(nullif(a.industry, ''), nullif(l.custom ->> 'industry', ''))",
    ),
    "employee_count": Field(
        _("number of employees"),
        Kind.NUMBER,
        f"coalesce(a.employee_count, {as_number("(l.custom ->> 'employee_count')")})",
    ),
    "revenue_amount": Field(
        _("yearly revenue"),
        Kind.NUMBER,
        f"coalesce(a.revenue_amount, {as_number("(l.custom ->> 'revenue_amount')")})",
    ),
    "email_domain": Field(
        _("e-mail domain"), Kind.TEXT, "nullif(split_part(lower(l.email), '@', 2), '')"
    ),
    "email_type": Field(
        _("type of e-mail address"),
        Kind.TEXT,
        """CASE WHEN l.email = '' THEN NULL WHEN m.kind <> 'corporate' THEN m.kind
                WHEN b.word IS NOT NULL THEN 'role' ELSE 'corporate' END""",
        tuple(MailKind.choices),
    ),
    "relationship": Field(
        _("relationship"),
        Kind.TEXT,
        "nullif(coalesce(a.custom ->> 'relationship', l.custom ->> 'relationship'), '')",
    ),
    "phone": Field(_("phone"), Kind.TEXT, _text("l.phone")),
    "persona": Field(_("persona"), Kind.TEXT, _text("l.persona")),
    "channel": Field(_("channel"), Kind.TEXT, "nullif(l.channel, 'unknown')"),
    "source": Field(_("source"), Kind.TEXT, _text("l.source")),
    "medium": Field(_("medium"), Kind.TEXT, _text("l.medium")),
    "campaign": Field(_("campaign"), Kind.TEXT, _text("l.campaign")),
}


def _property(*names: str) -> str:
    """The first of these properties that says something."""
    return "coalesce(" + ", ".join(f"nullif(e.properties ->> '{name}', '')" for name in names) + ")"


# What senders call these things: docs/scoring.md lists it.
ASSET_PROPERTIES = ("asset", "asset_name", "file_name", "filename", "file")
FORM_PROPERTIES = ("form_name", "form", "form_id")
MAIL_PROPERTIES = (
    *("campaign_name", "email_subject", "subject"),
    *("email_id", "mail_id", "message_id", "campaign_id"),
)

EVENT_FIELDS: dict[str, Field] = {
    "name": Field(_("event name"), Kind.TEXT, _text("e.name")),
    "url": Field(_("address"), Kind.TEXT, _text("e.url")),
    "path": Field(_("path"), Kind.TEXT, _text("e.path")),
    "title": Field(_("page title"), Kind.TEXT, _text("e.title")),
    "asset": Field(_("file"), Kind.TEXT, _property(*ASSET_PROPERTIES)),
    "form": Field(_("form"), Kind.TEXT, _property(*FORM_PROPERTIES)),
    "mail": Field(_("mail"), Kind.TEXT, _property(*MAIL_PROPERTIES)),
}

# A rule that looked at these would move what it looks at.
SET_BY_THE_SCORE = frozenset(
    {"score", "fit", "interest", "quadrant", "is_promising", "stage", "cycle", "model_version"}
)

# A name within a JSON document, and the column it is looked up in.
_JSON_NAME = re.compile(r"([a-z_.]+)\.([a-z0-9_]{1,50})")
_LEAD_DOCUMENTS = {"custom": "l.custom", "account.custom": "a.custom"}
_EVENT_DOCUMENTS = {"properties": "e.properties"}


def find_field(name: str, axis: str) -> Field | None:
    """The field with this name on this axis; None when conditions may not look at it."""
    fields = LEAD_FIELDS if axis == Axis.FIT else EVENT_FIELDS
    if name in fields:
        return fields[name]
    match = _JSON_NAME.fullmatch(name)
    documents = _LEAD_DOCUMENTS if axis == Axis.FIT else _EVENT_DOCUMENTS
    if match is None or match[1] not in documents:
        return None
    return Field(
        match[2].replace("_", " "), Kind.TEXT, _text(f"{documents[match[1]]} ->> '{match[2]}'")
    )


@dataclass(frozen=True)
class Operator:
    """`takes` says what value it compares with: nothing, text, number, texts (a list), range."""

    phrase: str | Promise
    takes: str


OPERATORS: dict[str, Operator] = {
    "is": Operator(_("is %(value)s"), "text"),
    "is_not": Operator(_("is known and not %(value)s"), "text"),
    "is_one_of": Operator(_("is one of %(value)s"), "texts"),
    "is_none_of": Operator(_("is known and none of %(value)s"), "texts"),
    "contains": Operator(_("contains %(value)s"), "texts"),
    "has_word": Operator(_("has the word %(value)s"), "texts"),
    "starts_with": Operator(_("starts with %(value)s"), "texts"),
    "matches": Operator(_("matches %(value)s"), "texts"),
    "does_not_contain": Operator(_("is known and does not contain %(value)s"), "texts"),
    "does_not_match": Operator(_("is known and does not match %(value)s"), "texts"),
    "at_least": Operator(_("is at least %(value)s"), "number"),
    "at_most": Operator(_("is at most %(value)s"), "number"),
    "between": Operator(_("is between %(value)s"), "range"),
    "is_true": Operator(_("is yes"), "nothing"),
    "is_known": Operator(_("is known"), "nothing"),
    "is_unknown": Operator(_("is not known"), "nothing"),
}
