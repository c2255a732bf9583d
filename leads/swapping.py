"""Replace nearly all rows of a table at once: build it anew beside the old one, then swap.

Several times faster than updating rows that an index sorts by, and it leaves no
dead rows behind. Readers see the old table until the commit; writers wait.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

NEXT = "_next"
LONGEST_NAME = 63


class Part(NamedTuple):
    """A constraint or an index of the old table, and how to make it again."""

    name: str
    definition: str
    is_constraint: bool

    @property
    def next_name(self) -> str:
        return self.name[: LONGEST_NAME - len(NEXT)] + NEXT


@transaction.atomic
def replace_rows(table: str, columns: str, rows_sql: str, params: dict) -> int:
    """Let `rows_sql` be the new content of `columns` of `table`; returns the number of rows.

    The caller has locked `table`, and before it every table that it refers to.
    Raises RuntimeError for a table with triggers of its own: they would be lost.
    """
    with connection.cursor() as cursor:
        # Checks that the caller's transaction has put off are done now: a table cannot go before.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        parts = _parts_of(cursor, table)
        cursor.execute(f"CREATE TABLE {table}{NEXT} (LIKE {table} INCLUDING DEFAULTS)")
        cursor.execute(f"INSERT INTO {table}{NEXT} ({columns}) {rows_sql}", params)
        count = cursor.rowcount
        for part in parts:
            cursor.execute(_make(part, table))
        cursor.execute(f"ANALYZE {table}{NEXT}")
        cursor.execute(f"DROP TABLE {table}")
        cursor.execute(f"ALTER TABLE {table}{NEXT} RENAME TO {table}")
        for part in parts:
            cursor.execute(_rename(part, table))
    return count


def _parts_of(cursor: CursorWrapper, table: str) -> list[Part]:
    cursor.execute(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [table]
    )
    if triggers := cursor.fetchall():
        raise RuntimeError(f"{table} has triggers that a swap would lose: {triggers}")
    cursor.execute(
        """
        SELECT conname, pg_get_constraintdef(oid), true FROM pg_constraint
         WHERE conrelid = %(table)s::regclass AND contype IN ('p', 'u', 'c', 'f')
         UNION ALL
        SELECT i.relname, pg_get_indexdef(i.oid), false
          FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
         WHERE x.indrelid = %(table)s::regclass
           AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.oid
                              AND c.conrelid = x.indrelid)
        """,
        {"table": table},
    )
    return [Part(*row) for row in cursor.fetchall()]


def _make(part: Part, table: str) -> str:
    if part.is_constraint:
        return f'ALTER TABLE {table}{NEXT} ADD CONSTRAINT "{part.next_name}" {part.definition}'
    head, _on, rest = part.definition.partition(" USING ")
    unique = "UNIQUE " if head.startswith("CREATE UNIQUE") else ""
    return f'CREATE {unique}INDEX "{part.next_name}" ON {table}{NEXT} USING {rest}'


def _rename(part: Part, table: str) -> str:
    if part.is_constraint:
        return f'ALTER TABLE {table} RENAME CONSTRAINT "{part.next_name}" TO "{part.name}"'
    return f'ALTER INDEX "{part.next_name}" RENAME TO "{part.name}"'
