"""Which kinds of events come in at all. Reads only."""

from __future__ import annotations

from django.db import connection

NEWEST = 100_000  # events; to look through all of them would take too long for a page


def received_kinds() -> set[str]:
    """The kinds among the newest events, whoever sent them and whoever did them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT kind
                 FROM (SELECT kind FROM tracking_event ORDER BY id DESC LIMIT %s) newest""",
            [NEWEST],
        )
        return {kind for (kind,) in cursor.fetchall()}
