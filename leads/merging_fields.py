"""What of a profile can be chosen when two leads are merged, and taking it over.

A choice may stand for several columns that mean nothing apart: a company and its account,
the parts of an origin, an owner and the team.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leads import custom_fields
from leads.models import Lead, Merge

SURVIVOR, LOSER = "survivor", "loser"
CUSTOM = "custom."
BLANK = ("", "unknown", None)
# Written by leads/ownership.py, which tells the house.
OWNERSHIP = ("owner_id", "team_id")

# Column → [before, written], JSON values.
Changes = dict[str, list[Any]]


@dataclass(frozen=True)
class Choice:
    """One thing to choose; `columns` are attributes of a lead, `show` which of them to read."""

    key: str
    label: str | Promise
    columns: tuple[str, ...]
    show: tuple[str, ...] = ()


CHOICES = (
    Choice("first_name", _("First name"), ("first_name",)),
    Choice("last_name", _("Last name"), ("last_name",)),
    Choice("email", _("E-mail"), ("email", "is_email_verified"), ("email",)),
    Choice("title", _("Job title"), ("title",)),
    Choice("company", _("Company and account"), ("company", "account_id"), ("company", "account")),
    Choice("phone", _("Phone"), ("phone",)),
    Choice("country", _("Country"), ("country",), ("country.name",)),
    Choice("persona", _("Persona"), ("persona",)),
    Choice(
        "origin",
        _("Channel, source, campaign"),
        ("channel", "source", "medium", "campaign"),
        ("get_channel_display", "source", "medium", "campaign"),
    ),
    Choice("owner", _("Owner and team"), OWNERSHIP, ("owner", "team")),
)


@dataclass(frozen=True)
class Line:
    """One choice between two leads, as the merge page shows it."""

    key: str
    label: str | Promise
    survivor: str
    loser: str
    chosen: str

    @property
    def differs(self) -> bool:
        return self.survivor != self.loser


def lines(survivor: Lead, loser: Lead, chosen: dict[str, str]) -> list[Line]:
    """All choices, those that differ first."""
    found = [
        Line(
            choice.key,
            choice.label,
            _shown(survivor, choice),
            _shown(loser, choice),
            chosen[choice.key],
        )
        for choice in choices_for(survivor, loser)
    ]
    return sorted(found, key=lambda line: not line.differs)


def choices_for(survivor: Lead, loser: Lead) -> list[Choice]:
    """The fields of every lead, and the custom ones that either of these has."""
    used = survivor.custom.keys() | loser.custom.keys()
    labels = {field.key: field.label for field in custom_fields.definitions()}
    own = [
        Choice(f"{CUSTOM}{key}", labels.get(key, key), (f"{CUSTOM}{key}",)) for key in sorted(used)
    ]
    return [*CHOICES, *own]


def suggested(survivor: Lead, loser: Lead) -> dict[str, str]:
    """The survivor's own, unless it has nothing where the loser has something."""
    return {
        choice.key: LOSER if _is_blank(survivor, choice) > _is_blank(loser, choice) else SURVIVOR
        for choice in choices_for(survivor, loser)
    }


def planned(survivor: Lead, loser: Lead, chosen: dict[str, str]) -> Changes:
    """What the survivor would take over."""
    changes = {}
    for choice in choices_for(survivor, loser):
        for column in choice.columns if chosen.get(choice.key) == LOSER else ():
            before, after = read(survivor, column), read(loser, column)
            if before != after:
                changes[column] = [before, after]
    return changes


def values_to_give_back(merge: Merge, survivor: Lead) -> Changes:
    """What the survivor gets back: of the columns that are still as the merge wrote them."""
    return {
        column: [written, _before(merge, column)]
        for column, (_old, written) in merge.changes.items()
        if read(survivor, column) == written
    }


def snapshot(lead: Lead) -> dict[str, Any]:
    """All that can be chosen, by column."""
    columns = {column for choice in choices_for(lead, lead) for column in choice.columns}
    return {column: read(lead, column) for column in sorted(columns)}


def difference(before: dict[str, Any], after: dict[str, Any]) -> Changes:
    """What two snapshots say otherwise."""
    return {
        column: [before.get(column), after.get(column)]
        for column in sorted(before.keys() | after.keys())
        if before.get(column) != after.get(column)
    }


def own_value(merge: Merge, column: str) -> tuple[Any] | None:
    """What the survivor had of its own before the merge; None where nobody knows any more."""
    if column in merge.changes:
        return (_before(merge, column),)
    if column in merge.former or (merge.former and column.startswith(CUSTOM)):
        return (merge.former.get(column),)
    return None


def write(lead: Lead, changes: Changes) -> list[str]:
    """Set the columns of a locked lead and save them, but for the owner; returns all names."""
    names = set()
    for column, (_before_it, value) in changes.items():
        if column.startswith(CUSTOM):
            _write_custom(lead, column.removeprefix(CUSTOM), value)
            names.add("custom")
        elif column not in OWNERSHIP:
            setattr(lead, column, value)
            names.add(column.removesuffix("_id"))
    if names:
        lead.save(update_fields=names)
    return sorted(names)


def read(lead: Lead, column: str) -> Any:
    """The value as JSON keeps it."""
    if column.startswith(CUSTOM):
        return lead.custom.get(column.removeprefix(CUSTOM))
    value = getattr(lead, column)
    return str(value) if column == "country" else value


def _write_custom(lead: Lead, key: str, value: Any) -> None:
    rest = {name: kept for name, kept in lead.custom.items() if name != key}
    lead.custom = rest if value is None else {**rest, key: value}


def _before(merge: Merge, column: str) -> Any:
    """What the survivor had of its own: not what an earlier merge, taken apart since, had lent."""
    value = merge.changes[column][0]
    earlier = Merge.objects.filter(
        survivor=merge.survivor_id, pk__lt=merge.pk, undone_at__gt=merge.merged_at
    )
    for lent in earlier.order_by("-pk"):
        if column in lent.changes and lent.changes[column][1] == value:
            value = lent.changes[column][0]
    return value


def _is_blank(lead: Lead, choice: Choice) -> bool:
    return all(read(lead, column) in (*BLANK, False) for column in choice.columns)


def _shown(lead: Lead, choice: Choice) -> str:
    shown = (_text(lead, name) for name in choice.show or choice.columns)
    return " · ".join(dict.fromkeys(text for text in shown if text))


def _text(lead: Lead, name: str) -> str:
    if name.startswith(CUSTOM):
        value: Any = lead.custom.get(name.removeprefix(CUSTOM))
    else:
        value = lead
        for part in name.split("."):
            value = getattr(value, part)
        value = value() if callable(value) else value
    return "" if value is None else str(value)
