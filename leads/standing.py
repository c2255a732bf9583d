"""The door to leads.Standing: how promising each lead is right now."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, transaction

from leads.swapping import replace_rows, settle

# The order of the index on the score, as one whole number: it sorts several times faster than
# (score, lead_id) with its many ties, and an index over rows in its own order needs no sort.
# Behind OFFSET 0, or PostgreSQL would compute each score twice.
BY_SCORE = "lead_id - ((score * 100)::bigint << 32)"


def ensure_standings(lead_ids: Iterable[int]) -> None:
    """Give every lead its rows here and in LastActivity: lists join without losing anyone."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH new AS (SELECT unnest(%s::bigint[]) AS lead_id),
                 inactive AS (INSERT INTO leads_lastactivity (lead_id)
                              SELECT lead_id FROM new ON CONFLICT DO NOTHING)
            INSERT INTO leads_standing (lead_id, score, fit, interest, quadrant, is_promising)
            SELECT lead_id, 0, 0, 0, 'neither', false FROM new
            ON CONFLICT DO NOTHING
            """,
            [list(lead_ids)],
        )


def write_standings(scores_sql: str, params: dict) -> int:
    """Take over scores computed by one SQL query, and say how many rows changed.

    `scores_sql` yields (lead_id, score, fit, interest, quadrant, is_promising,
    model_version, scored_at).
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO leads_standing (lead_id, score, fit, interest, quadrant,
                is_promising, model_version, scored_at)
            {scores_sql}
            ON CONFLICT (lead_id) DO UPDATE SET
                score = excluded.score, fit = excluded.fit, interest = excluded.interest,
                quadrant = excluded.quadrant, is_promising = excluded.is_promising,
                model_version = excluded.model_version, scored_at = excluded.scored_at
            """,
            params,
        )
        return cursor.rowcount


@transaction.atomic
def replace_standings(scores_sql: str, params: dict) -> int:
    """Take over the scores of all leads at once; returns the number of standings.

    `scores_sql` is as for write_standings. Leads that it does not name keep
    their row. Writers of leads wait about a second per 100,000 leads.
    Call settle_standings after the commit.
    """
    with connection.cursor() as cursor:
        # In the order in which a capture takes them.
        cursor.execute("LOCK TABLE leads_lead IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("LOCK TABLE leads_standing IN EXCLUSIVE MODE")
    return replace_rows(
        "leads_standing",
        f"""
        SELECT * FROM (
            SELECT lead_id, coalesce(fresh.score, old.score)::numeric(9, 2) AS score,
                   coalesce(fresh.fit, old.fit) AS fit,
                   coalesce(fresh.interest, old.interest) AS interest,
                   coalesce(fresh.quadrant, old.quadrant) AS quadrant,
                   coalesce(fresh.is_promising, old.is_promising) AS is_promising,
                   coalesce(fresh.model_version, old.model_version) AS model_version,
                   coalesce(fresh.scored_at, old.scored_at) AS scored_at
              FROM leads_standing old FULL JOIN ({scores_sql}) fresh USING (lead_id)
            OFFSET 0
        ) merged ORDER BY {BY_SCORE}
        """,  # noqa: S608  the query is made by scoring/formula.py
        params,
    )


def settle_standings() -> None:
    """After replace_standings has committed: what may wait, in a transaction of its own."""
    settle("leads_standing")
