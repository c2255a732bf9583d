"""One row of text becomes one record of values, with notes on what could not be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from leads.custom_fields import LONGEST_TEXT
from leads.imports import dates, suggest, values
from leads.imports.dates import Moment
from leads.imports.fields import KIND_LABELS, Field, Kind
from leads.imports.mapping import IGNORED_VALUE, Mapping, Use
from leads.imports.notes import Level, Note
from leads.imports.profile import Column
from leads.imports.reading import Row

SHOWN_LENGTH = 80
REMEMBERED = 1024  # cells per column


@dataclass
class Record:
    """What one row says. `values` and `custom` hold only what is filled in and readable.

    `unreadable` names the fields whose cell holds something that is no date.
    """

    number: int
    line: int
    values: dict[str, Any] = field(default_factory=dict)
    custom: dict[str, Any] = field(default_factory=dict)
    ids: list[tuple[str, str]] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)
    notes: list[Note] = field(default_factory=list)

    @property
    def is_broken(self) -> bool:
        return any(note.level == Level.ERROR for note in self.notes)

    def moment(self, key: str) -> Moment | None:
        return self.values.get(key)


class Interpreter:
    """Reads rows as the mapping says. Stateless between rows."""

    def __init__(
        self, mapping: Mapping, columns: Sequence[Column], fields: dict[str, Field]
    ) -> None:
        self.mapping = mapping
        self.width = len(columns)
        self.zone = ZoneInfo(settings.REPORTING_TIME_ZONE)
        self.unset = frozenset(word.casefold() for word in mapping.unset if word)
        self._steps = [(use, *self._reading(use, columns, fields)) for use in mapping.uses]
        self._constants = self._read_constants(fields)

    def read(self, row: Row) -> Record:
        record = Record(row.number, row.line)
        self._check_width(row, record)
        if record.is_broken:
            return record
        for use, name, target, read in self._steps:
            cell = row.cells[use.column] if use.column < len(row.cells) else ""
            if cell and cell.casefold() not in self.unset:
                self._take(record, use, name, target, read(cell), cell)
        for key, value in self._constants.items():
            record.values.setdefault(key, value)
        return record

    def _check_width(self, row: Row, record: Record) -> None:
        cells = row.cells
        params = {"cells": len(cells), "columns": self.width}
        if len(cells) < self.width:
            record.notes.append(Note("too_few_cells", params))
        elif any(cells[self.width :]):
            record.notes.append(Note("too_many_cells", params))

    def _take(
        self, record: Record, use: Use, name: str, target: Field, value: Any, cell: str
    ) -> None:
        """Keep a value that was read; note one that was not."""
        if value is None:
            self._note_unreadable(record, name, target, cell)
        elif target.max_length and isinstance(value, str) and len(value) > target.max_length:
            params = {"column": name, "max": target.max_length}
            record.notes.append(Note("too_long", params))
        elif target.kind == Kind.ID:
            record.ids.append((use.system, value))
        elif use.custom_key:
            record.custom[use.custom_key] = values.as_json(value)
        elif value != IGNORED_VALUE or target.kind not in (Kind.STAGE, Kind.CHANNEL):
            record.values[target.key] = value

    def _note_unreadable(self, record: Record, name: str, target: Field, cell: str) -> None:
        record.unreadable.add(target.key)
        if not self._is_settled(target.kind):
            return
        params = {"column": name, "value": cell[:SHOWN_LENGTH]}
        if target.kind in (Kind.DATE, Kind.MOMENT):
            record.notes.append(Note("bad_date", params))
        elif target.kind == Kind.STAGE:
            record.notes.append(Note("unknown_stage", params))
        elif target.kind != Kind.CHANNEL:  # an unknown source is no mistake
            kind = str(KIND_LABELS[Kind(target.kind)])
            record.notes.append(Note("bad_value", {**params, "kind": kind}))

    def _is_settled(self, kind: str) -> bool:
        """Whether the mapping says how to read this kind; in a preview it may not do so yet."""
        if kind in (Kind.DATE, Kind.MOMENT):
            return bool(self.mapping.date_order)
        return kind not in (Kind.NUMBER, Kind.WHOLE) or bool(self.mapping.decimal_mark)

    def _reading(
        self, use: Use, columns: Sequence[Column], fields: dict[str, Field]
    ) -> tuple[str, Field, Callable[[str], Any]]:
        """(name of the column, the field it goes to, how its cells are read)."""
        name = columns[use.column].name
        if use.custom_key:
            choices = fields[use.to].choices if use.to in fields else ()
            target = Field(use.to, name, "", use.kind, LONGEST_TEXT, choices=choices)
        else:
            target = fields[use.to]
        read = self._reader(target, use)
        # A column repeats its values, but for ids.
        return name, target, read if target.kind == Kind.ID else lru_cache(REMEMBERED)(read)

    def _reader(self, target: Field, use: Use) -> Callable[[str], Any]:
        mark, order, zone = self.mapping.decimal_mark, self.mapping.date_order, self.zone
        choices = {choice.casefold(): choice for choice in target.choices}
        readers: dict[str, Callable[[str], Any]] = {
            Kind.TEXT: lambda cell: " ".join(cell.split()),
            Kind.ID: lambda cell: cell,
            Kind.NUMBER: lambda cell: values.read_number(cell, mark),
            Kind.WHOLE: lambda cell: _whole(values.read_number(cell, mark)),
            Kind.BOOLEAN: values.read_boolean,
            Kind.COUNTRY: values.read_country,
            Kind.MOMENT: lambda cell: dates.parse(cell, order, zone),
            Kind.DATE: lambda cell: _day(dates.parse(cell, order, zone)),
            Kind.CHOICE: lambda cell: choices.get(cell.casefold()),
        }
        if target.kind in (Kind.STAGE, Kind.CHANNEL):
            return _value_reader(use.values, target.kind)
        return readers[target.kind]

    def _read_constants(self, fields: dict[str, Field]) -> dict[str, Any]:
        read = {}
        for key, text in self.mapping.constants.items():
            if text and key in fields:
                value = self._reader(fields[key], Use(-1, key))(text)
                if value is not None:
                    read[key] = value
        return read


def _value_reader(chosen: dict[str, str], kind: str) -> Callable[[str], str | None]:
    """What was chosen for this value, else what other systems mean by it."""

    def read(cell: str) -> str | None:
        return chosen.get(cell) or suggest.value_for(kind, cell) or None

    return read


def _whole(number: Any) -> int | None:
    if number is None or number != number.to_integral_value() or abs(number) > 2_147_483_647:
        return None
    return int(number)


def _day(moment: Moment | None) -> date | None:
    return moment.day if moment else None
