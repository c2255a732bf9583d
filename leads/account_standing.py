"""The door to leads.AccountStanding: how promising each company is right now."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

PARTS = ("score", "best", "people", "roles", "recency")
FACTS = ("best_lead_id", "person_count", "engaged_count", "role_count", "last_activity_at")


def mark_accounts_of(lead_ids: Iterable[int]) -> None:
    """The standings of these people are about to change. Part of the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO leads_staleaccount (account_id)
            SELECT DISTINCT account_id FROM leads_lead
             WHERE id = ANY(%s::bigint[]) AND account_id IS NOT NULL
            """,
            [sorted(set(lead_ids))],
        )


def write_account_standings(scores_sql: str, params: dict) -> int:
    """Take over what one SQL query computed, where it differs; returns how many rows changed.

    `scores_sql` yields account_id, PARTS (whole hundredths), FACTS and scored_at by name.
    """
    columns = (*PARTS, *FACTS)
    listed = ", ".join(columns)
    taken = ", ".join(f"{name} = excluded.{name}" for name in (*columns, "scored_at"))
    stored, fresh = (", ".join(f"{row}.{name}" for name in columns) for row in ("a", "excluded"))
    insert = f"INSERT INTO leads_accountstanding AS a (account_id, {listed}, scored_at)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            {insert}
            SELECT account_id, {listed}, scored_at FROM ({scores_sql}) s ORDER BY account_id
            ON CONFLICT (account_id) DO UPDATE SET {taken}
             WHERE ({stored}) IS DISTINCT FROM ({fresh})
            """,  # noqa: S608
            params,
        )
        return cursor.rowcount
