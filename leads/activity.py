"""Last activity, restated: unlike touch_activity it may also move back."""

from __future__ import annotations

from django.db import connection


def restate_activity(newest_sql: str, parameters: dict) -> None:
    """Take over the newest activity of some leads.

    `newest_sql` yields (lead_id, last_activity_at), NULL where there was none.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE leads_standing s SET last_activity_at = fresh.last_activity_at
              FROM ({newest_sql}) fresh
             WHERE s.lead_id = fresh.lead_id
               AND s.last_activity_at IS DISTINCT FROM fresh.last_activity_at
            """,  # noqa: S608 - a query of tracking's own
            parameters,
        )
