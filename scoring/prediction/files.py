"""An uploaded file as a table to learn from, read by the code and within the limits of imports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _

from leads import importing
from leads.import_models import Import, ImportContent
from leads.imports import dates, reading, values
from leads.imports.profile import Column
from leads.imports.reading import Dialect
from leads.refusals import Refused
from scoring.prediction.choices import FileChoices, features, order_of_dates
from scoring.prediction.tables import Cell, Table


@dataclass(frozen=True)
class FileTable:
    """`undecided`: rows whose outcome is neither; `unordered`: rows without a readable order."""

    table: Table
    undecided: int
    unordered: int


def read(job: Import, choices: FileChoices) -> FileTable:
    """The decided rows of a file. Raises Refused when the file is gone or has no order."""
    content = ImportContent.objects.filter(owner=job).first()
    if content is None:
        raise Refused(_("The file itself is no longer kept. Upload it again."))
    columns = importing.columns_of(job)
    wanted = features(columns, choices)
    by_name = {column.name: column for column in columns}
    when = _reader_of_order(by_name[choices.order], choices)
    labels_of = {**dict.fromkeys(choices.reached, 1), **dict.fromkeys(choices.missed, 0)}
    unset = {word.lower() for word in importing.mapping_of(job).unset}
    cells: dict[str, list[Cell]] = {column.name: [] for column in wanted}
    labels, order, undecided, unordered = [], [], 0, 0
    for row in _rows(job, bytes(content.data), len(columns)):
        label = labels_of.get(row[by_name[choices.outcome].index])
        at = when(row[by_name[choices.order].index])
        undecided += label is None
        unordered += label is not None and at is None
        if label is None or at is None:
            continue
        labels.append(label)
        order.append(at)
        for column in wanted:
            cells[column.name].append(_cell(row[column.index], column, unset))
    if not order and unordered:
        raise Refused(
            _("“%(name)s” has no numbers or dates that the rows could be ordered by.")
            % {"name": choices.order}
        )
    return FileTable(Table(cells, labels, order), undecided, unordered)


def _rows(job: Import, data: bytes, width: int) -> Iterator[list[str]]:
    names = tuple(column["name"] for column in job.columns)
    dialect = Dialect(job.encoding, job.delimiter, names, job.row_count, job.footer_count)
    for row in reading.read_rows(data, dialect):
        yield [*row.cells, *[""] * (width - len(row.cells))]


def _cell(text: str, column: Column, unset: set[str]) -> Cell:
    if not text or text.lower() in unset:
        return None
    if column.kind == "number":
        number = values.read_number(text, _only(column.decimal_marks, values.DECIMAL_POINT))
        return text if number is None else float(number)
    return text


def _reader_of_order(column: Column, choices: FileChoices) -> Callable[[str], float | None]:
    """Reads the order column: dates as seconds since 1970, otherwise numbers."""
    if column.date_orders is not None and column.kind == "date":
        order = order_of_dates(column, choices)
        zone = ZoneInfo(settings.REPORTING_TIME_ZONE)

        def read_date(text: str) -> float | None:
            moment = dates.parse(text, order, zone)
            return moment.at.timestamp() if moment else None

        return read_date
    mark = _only(column.decimal_marks, values.DECIMAL_POINT)

    def read_number(text: str) -> float | None:
        number = values.read_number(text, mark)
        return None if number is None else float(number)

    return read_number


def _only(found: list[str] | None, otherwise: str) -> str:
    """What a column settles by itself."""
    return found[0] if found and len(found) == 1 else otherwise
