"""Many rows at once: COPY, in portions that fit into memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

PORTION = 20_000  # rows of all tables together
# Constraints about several rows; those about one are checked at each statement.
AT_EACH_PORTION = (
    "has_successor, follows_history, lead_follows,"
    " handoff_goes_with_lead, opportunity_goes_with_lead"
)


@dataclass(frozen=True)
class Table:
    """A table and those of its columns that rows have values for."""

    name: str
    columns: tuple[str, ...]


class Copier:
    """Collects rows and copies them in the order of `tables`: references find their rows."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._rows: dict[Table, list[Sequence[Any]]] = {table: [] for table in tables}
        self._size = 0

    def add(self, table: Table, *rows: Sequence[Any]) -> None:
        self._rows[table].extend(rows)
        self._size += len(rows)

    def flush_if_full(self) -> None:
        """To be called when what was added refers to nothing that is still to come."""
        if self._size >= PORTION:
            self.flush()

    def flush(self) -> None:
        for table, rows in self._rows.items():
            if rows:
                _copy(table, rows)
                rows.clear()
        self._size = 0
        _check_histories()


def _check_histories() -> None:
    """Have the database compare leads and episodes now, not all of them at the commit.

    It cannot check at each row: an episode is closed just before its successor is there,
    and a lead comes before its history.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET CONSTRAINTS {AT_EACH_PORTION} IMMEDIATE")
        cursor.execute(f"SET CONSTRAINTS {AT_EACH_PORTION} DEFERRED")


def _copy(table: Table, rows: Sequence[Sequence[Any]]) -> None:
    statement = f"COPY {table.name} ({', '.join(table.columns)}) FROM STDIN"
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        for row in rows:
            copy.write_row(row)


class Numbers:
    """Ids of a table, handed out in memory; `keep` tells the table's sequence of them.

    Only for a table that nobody else writes to meanwhile.
    """

    def __init__(self, table: str) -> None:
        self.table = table
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [table])
            self._next = cursor.fetchone()[0]

    def take(self) -> int:
        self._next += 1
        return self._next - 1

    def keep(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s, false)",
                [self.table, self._next],
            )
