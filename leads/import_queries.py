"""What the pages about imports read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.timezone import now
from django.utils.translation import gettext as _

from leads import importing
from leads.channels import Channel
from leads.csv_cells import csv_pieces
from leads.import_models import Import, ImportRow
from leads.imports import notes, reading, targets
from leads.imports.dates import Moment
from leads.imports.fields import Field
from leads.imports.interpret import Record
from leads.imports.mapping import Use
from leads.imports.notes import Level, Note
from leads.imports.reading import Dialect, Row
from leads.imports.targets import Context
from leads.imports.working import interpreter_of
from leads.stages import Stage

PREVIEW_SIZE = 8
SHOWN_PROBLEMS = 25


@dataclass(frozen=True)
class Preview:
    """The first rows as they would be imported. `cells` stand in the order of `headings`."""

    headings: list[str]
    rows: list[PreviewRow]


@dataclass(frozen=True)
class PreviewRow:
    number: int
    outcome: str
    cells: list[str]
    sentences: list[str]


@dataclass(frozen=True)
class NoteCount:
    label: str
    level: str
    count: int


@dataclass(frozen=True)
class Problem:
    """One row of the report. `url` leads to what it became; empty when nothing."""

    number: int
    line: int
    outcome: str
    sentences: list[str]
    url: str


def preview(job: Import) -> Preview:
    """Plans the first rows without writing; an import that is ready or nearly so."""
    mapping = importing.mapping_of(job)
    fields = importing.fields_of(mapping.target)
    interpreter = interpreter_of(job)
    records = [interpreter.read(Row(*row)) for row in job.sample[:PREVIEW_SIZE]]
    context = Context(mapping, importing.actor_of(job), now(), job.file_name, "", is_check=True)
    plans = targets.get(mapping.target).planner(context).plan(records)
    uses = list(dict.fromkeys((use.to, use.system) for use in mapping.uses))
    return Preview(
        headings=[_heading(to, system, mapping.uses, fields) for to, system in uses],
        rows=[
            PreviewRow(
                plan.number,
                str(ImportRow.Outcome(plan.outcome).label),
                [_shown(record, to, system) for to, system in uses],
                [note.sentence for note in plan.notes if note.level != Level.INFO],
            )
            for plan, record in zip(plans, records, strict=True)
        ],
    )


def note_counts(job: Import) -> list[NoteCount]:
    """How many rows each remark is about, the gravest first."""
    order = [Level.ERROR, Level.WARNING, Level.INFO]
    counts = [
        NoteCount(notes.label_of(code), notes.level_of(code), count)
        for code, count in job.tally.get("notes", {}).items()
    ]
    return sorted(counts, key=lambda each: (order.index(Level(each.level)), -each.count))


def problem_rows(job: Import) -> QuerySet[ImportRow]:
    """The rows with an error or a warning, of the import once it has begun, else of the check."""
    codes = [code for code in job.tally.get("notes", {}) if notes.level_of(code) != Level.INFO]
    has_problem = Q()
    for code in codes:
        has_problem |= Q(notes__contains=[{"code": code}])
    rows = job.rows.filter(has_problem, is_check=not job.has_begun)
    return rows.order_by("number") if codes else rows.none()


def problems(job: Import) -> list[Problem]:
    """The first rows of the report."""
    view_name = targets.get(job.target).view_name
    return [_problem(row, view_name) for row in problem_rows(job)[:SHOWN_PROBLEMS]]


def report_lines(job: Import) -> Iterator[str]:
    """The report as CSV: each row as it came, and what there is to say about it."""
    by_number = {row.number: row for row in problem_rows(job).iterator()}
    header = [column["name"] for column in job.columns]
    own = ["Import row", "Import line", "Import result", "Import problems"]
    return csv_pieces([*header, *own], _report_rows(job, by_number, len(header)))


def has_content(job: Import) -> bool:
    return hasattr(job, "content")


def _report_rows(job: Import, by_number: dict[int, ImportRow], width: int) -> Iterator[list]:
    names = tuple(column["name"] for column in job.columns)
    dialect = Dialect(job.encoding, job.delimiter, names, job.row_count, job.footer_count)
    for row in reading.read_rows(bytes(job.content.data), dialect):
        noted = by_number.get(row.number)
        if noted:
            cells = (row.cells + [""] * width)[:width]
            outcome = ImportRow.Outcome(noted.outcome).label
            own = [row.number, row.line, outcome, " ".join(_sentences(noted))]
            yield [*cells, *own, *row.cells[width:]]  # cells beyond the header move no column


def _problem(row: ImportRow, view_name: str) -> Problem:
    url = reverse(view_name, args=[row.object_id]) if row.object_id and view_name else ""
    return Problem(row.number, row.line, row.get_outcome_display(), _sentences(row), url)


def _sentences(row: ImportRow) -> list[str]:
    found = (Note.from_json(note) for note in row.notes)
    return [note.sentence for note in found if note.level != Level.INFO]


def _heading(to: str, system: str, uses: tuple[Use, ...], fields: dict[str, Field]) -> str:
    if system:
        return _("Id: %(system)s") % {"system": system}
    if to in fields:
        return str(fields[to].label)
    return next((use.label for use in uses if use.to == to), to)


def _shown(record: Record, to: str, system: str) -> str:
    if system:
        return next((value for key, value in record.ids if key == system), "")
    key = to.removeprefix("custom:")
    value = record.custom.get(key) if to.startswith("custom:") else record.values.get(to)
    if value is None:
        return ""
    if isinstance(value, Moment):
        return date_format(value.at, "DATETIME_FORMAT" if value.has_time else "DATE_FORMAT")
    if isinstance(value, date):
        return date_format(value, "DATE_FORMAT")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float | Decimal):
        return number_format(value)
    if to == "stage" and value in Stage.values:
        return str(Stage(value).label)
    return str(Channel(value).label) if to == "channel" else str(value)
