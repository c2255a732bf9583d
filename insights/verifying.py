"""Proof that the roll-ups are what the episodes say."""

from __future__ import annotations

from django.conf import settings
from django.db import connection, transaction

from insights.folding import COLUMNS, cells_of, in_columns
from insights.reports import load


@transaction.atomic
def differences() -> list[str]:
    """What is wrong with the roll-ups, one sentence each; empty when they are exact.

    Leads whose change still waits to be folded in are not compared with their episodes.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(_stays_sql(), {"zone": settings.REPORTING_TIME_ZONE})
        wrong_stays, some_lead = cursor.fetchone()
        cursor.execute(_cells_sql())
        wrong_cells, some_slice = cursor.fetchone()
    found = []
    if wrong_stays:
        found.append(
            f"{wrong_stays} stays differ from their episodes, the first of lead {some_lead}."
        )
    if wrong_cells:
        found.append(
            f"{wrong_cells} cells differ from the sum of their stays, the first in slice "
            f"“{some_slice}”."
        )
    return found


def _stays_sql() -> str:
    """One statement, so that episodes, stays and waiting work are of one instant."""
    columns = ", ".join(COLUMNS)
    return load(
        "stays_differ",
        known=f"SELECT {columns} FROM insights_stay",  # noqa: S608
        fresh=in_columns(load("stays", leads="")),
    )


def _cells_sql() -> str:
    return load("cells_differ", cells=cells_of("(SELECT *, 1 AS sign FROM insights_stay)"))
