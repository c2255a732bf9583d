"""What rows can become. An app registers its targets in AppConfig.ready().

A planner first decides what would happen (`plan`, which writes nothing) and then
makes it so (`apply`). It remembers what it has planned, so two rows about the
same lead add up in a dry run just as they do in the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from django.utils.functional import Promise

from leads.actors import Actor
from leads.imports.fields import Field
from leads.imports.interpret import Record
from leads.imports.mapping import Mapping
from leads.imports.notes import Level, Note


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass
class RowPlan:
    """What becomes of one row. `subject` has a `pk` once it is applied."""

    number: int
    line: int
    outcome: str = Outcome.UNCHANGED
    notes: list[Note] = field(default_factory=list)
    subject: Any = None

    @property
    def is_failed(self) -> bool:
        return any(note.level == Level.ERROR for note in self.notes)

    @property
    def is_warned(self) -> bool:
        return any(note.level == Level.WARNING for note in self.notes)

    @property
    def object_id(self) -> int | None:
        return getattr(self.subject, "pk", None)


@dataclass(frozen=True)
class Context:
    """What a planner needs to know. `now` is when the check or run began.

    `label` names the file for people, `cause` the import for unique keys.
    """

    mapping: Mapping
    by: Actor
    now: datetime
    label: str
    cause: str
    is_check: bool


class Planner(Protocol):
    def plan(self, records: Sequence[Record]) -> list[RowPlan]:
        """Decide about each record, in order. Reads, writes nothing."""

    def apply(self) -> None:
        """Write everything planned since the last call. Inside the caller's transaction."""


@dataclass(frozen=True)
class Target:
    """`vocabulary` maps folded headers to field keys; `missing` says what is still to map."""

    key: str
    label: str | Promise
    fields: tuple[Field, ...]
    vocabulary: dict[str, str]
    planner: Callable[[Context], Planner]
    missing: Callable[[Mapping], Iterable[str]]
    custom_target: str = ""
    # The URL name of an object's page, for the links in the list of rows.
    view_name: str = ""


_targets: dict[str, Target] = {}


def register(target: Target) -> None:
    _targets[target.key] = target


def get(key: str) -> Target:
    return _targets[key]


def known() -> list[Target]:
    return list(_targets.values())
