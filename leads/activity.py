"""The door to leads.LastActivity: when each lead last did something that counts."""

from __future__ import annotations

from datetime import datetime

from django.db import connection


def touch_activity(last_activity: dict[int, datetime]) -> None:
    """Remember the newest activity of each lead; an older one changes nothing."""
    if not last_activity:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO leads_lastactivity AS mine (lead_id, at) VALUES (%s, %s)
            ON CONFLICT (lead_id) DO UPDATE SET at = excluded.at
             WHERE mine.at IS NULL OR mine.at < excluded.at
            """,
            sorted(last_activity.items()),
        )


def restate_activity(newest_sql: str, parameters: dict) -> None:
    """Take over the newest activity of some leads; unlike touch_activity it may move back.

    `newest_sql` yields (lead_id, at), NULL where there was none.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE leads_lastactivity a SET at = fresh.at
              FROM ({newest_sql}) fresh
             WHERE a.lead_id = fresh.lead_id AND a.at IS DISTINCT FROM fresh.at
            """,  # noqa: S608 - a query of tracking's own
            parameters,
        )
