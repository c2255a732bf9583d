"""What there is to say about a row: a code and its particulars, worded when it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leads.stages import Stage


class Level(StrEnum):
    INFO = "info"  # counted only
    WARNING = "warning"  # imported, but not all of it
    ERROR = "error"  # not imported


@dataclass(frozen=True)
class Note:
    """One remark. `params` are plain JSON values."""

    code: str
    params: dict = field(default_factory=dict)

    @property
    def level(self) -> str:
        return _kinds[self.code].level

    @property
    def sentence(self) -> str:
        return str(_kinds[self.code].sentence) % _readable(self.params)

    def as_json(self) -> dict:
        return {"code": self.code, "params": self.params}

    @classmethod
    def from_json(cls, data: dict) -> Note:
        return cls(data["code"], data["params"])


@dataclass(frozen=True)
class Kind:
    level: str
    label: str | Promise  # what many of them are called in a list
    sentence: str | Promise


_kinds: dict[str, Kind] = {}


def register(code: str, level: str, label: str | Promise, sentence: str | Promise) -> None:
    """Make a kind of note known. `sentence` has named %(param)s places."""
    _kinds[code] = Kind(level, label, sentence)


def label_of(code: str) -> str:
    return str(_kinds[code].label)


def level_of(code: str) -> str:
    return _kinds[code].level


def _readable(params: dict) -> dict:
    return {name: _READERS.get(name, str)(value) for name, value in params.items()}


def _day(text: str) -> str:
    return date_format(date.fromisoformat(text), "DATE_FORMAT")


def _stage(text: str) -> str:
    return str(Stage(text).label) if text in Stage.values else text


_READERS: dict[str, Callable[[str], str]] = {
    "date": _day,
    "since": _day,
    "stage": _stage,
    "entered": _stage,
    "current": _stage,
}


# (code, level, label, sentence)
OWN_KINDS = (
    ("no_key", Level.ERROR, _("Without e-mail address or id"),
     _("The row has neither an e-mail address nor an id from another system.")),
    ("no_name", Level.ERROR, _("Without a name"),
     _("The row has no name.")),
    ("bad_email", Level.ERROR, _("No e-mail address"),
     _("“%(value)s” is not an e-mail address.")),
    ("bad_email_kept_id", Level.WARNING, _("E-mail address left out"),
     _("“%(value)s” is not an e-mail address and was left out.")),
    ("two_leads", Level.ERROR, _("Fits two leads"),
     _("The ids and the e-mail address of this row belong to different leads.")),
    ("email_taken", Level.WARNING, _("E-mail address belongs to another lead"),
     _("The e-mail address %(value)s belongs to another lead and was left out.")),
    ("unknown_lead", Level.ERROR, _("Not known here"),
     _("Nobody with this id or e-mail address is known here.")),
    ("unknown_account", Level.ERROR, _("Not known here"),
     _("No account of this name is known here.")),
    ("merged", Level.ERROR, _("Lead was just merged"),
     _("This lead was merged into another one at this very moment. Import the row again.")),
    ("too_many_cells", Level.ERROR, _("More cells than the header"),
     _("The row has %(cells)s cells where the header has %(columns)s.")),
    ("too_few_cells", Level.WARNING, _("Fewer cells than the header"),
     _("The row has %(cells)s cells where the header has %(columns)s; "
       "the missing ones were read as blank.")),
    ("not_stored", Level.ERROR, _("Could not be stored"),
     _("The row could not be stored.")),
    ("too_long", Level.WARNING, _("Too long"),
     _("%(column)s is longer than %(max)s characters and was left out.")),
    ("bad_value", Level.WARNING, _("Value cannot be read"),
     _("%(column)s: “%(value)s” cannot be read as %(kind)s and was left out.")),
    ("bad_date", Level.WARNING, _("No date"),
     _("%(column)s: “%(value)s” is not a date in the order of this file.")),
    ("date_in_future", Level.WARNING, _("Date in the future"),
     _("%(stage)s on %(date)s lies in the future; the stage was entered "
       "with its date unknown.")),
    ("date_before_stage", Level.WARNING, _("Dates in an impossible order"),
     _("%(stage)s on %(date)s lies before %(entered)s on %(since)s; the stage was entered "
       "with its date unknown.")),
    ("date_before_bound", Level.WARNING, _("Date older than the recorded history"),
     _("%(stage)s on %(date)s lies before %(since)s, when the lead was first recorded in "
       "%(entered)s; the stage was entered with its date unknown.")),
    ("stage_not_applied", Level.WARNING, _("Stage not taken over"),
     _("The lead is in %(current)s and cannot go on to %(stage)s by an import.")),
    ("stage_contradicts", Level.WARNING, _("Stage and dates contradict each other"),
     _("The file says %(stage)s, but gives a date for %(later)s.")),
    ("unknown_stage", Level.WARNING, _("Stage not known"),
     _("%(column)s: nobody said which stage “%(value)s” is.")),
    ("unknown_owner", Level.INFO, _("Owner is not a user here"),
     _("There is no user called “%(value)s”.")),
    ("account_created", Level.INFO, _("New account"),
     _("The account “%(value)s” is new.")),
)  # fmt: skip

for _kind in OWN_KINDS:
    register(*_kind)
