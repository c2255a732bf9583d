"""The door to leads.Standing: how promising each lead is right now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection, transaction

from leads.swapping import replace_rows, settle


class Written(NamedTuple):
    """How many standings were written, and which of these leads are promising."""

    row_count: int
    promising: list[int]


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


def write_standings(scores_sql: str, params: dict) -> Written:
    """Take over scores computed by one SQL query.

    `scores_sql` yields (lead_id, score, fit, interest, quadrant, is_promising,
    model_version, scored_at), points as whole hundredths.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH written AS (
                INSERT INTO leads_standing (lead_id, score, fit, interest, quadrant,
                    is_promising, model_version, scored_at)
                {scores_sql}
                ON CONFLICT (lead_id) DO UPDATE SET
                    score = excluded.score, fit = excluded.fit, interest = excluded.interest,
                    quadrant = excluded.quadrant, is_promising = excluded.is_promising,
                    model_version = excluded.model_version, scored_at = excluded.scored_at
                RETURNING lead_id, is_promising)
            SELECT count(*), coalesce(array_agg(lead_id) FILTER (WHERE is_promising), '{{}}')
              FROM written
            """,  # noqa: S608 - a query of our own
            params,
        )
        return Written(*cursor.fetchone())


@transaction.atomic
def replace_standings(scores_sql: str, params: dict) -> int:
    """Take over the scores of all leads at once; returns the number of standings.

    `scores_sql` is as for write_standings. Leads that it does not name keep
    their row. Writers of leads wait about half a second per 100,000 leads.
    Call settle_standings after the commit.
    """
    with connection.cursor() as cursor:
        # In the order in which a capture takes them. Who has locked a lead to move it looks at
        # its standing before it writes: a weaker lock would let both wait for each other.
        cursor.execute("LOCK TABLE leads_lead IN EXCLUSIVE MODE")
        cursor.execute("LOCK TABLE leads_standing IN EXCLUSIVE MODE")
    return replace_rows("leads_standing", scores_sql, params, key="lead_id")


def settle_standings() -> None:
    """After replace_standings has committed: what may wait, in a transaction of its own."""
    settle("leads_standing")
