"""How promising each company is: all accounts by one SQL query, after folds and by the clock."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection, transaction

from leads.account_standing import write_account_standings
from leads.models import Account
from leads.stages import Stage
from scoring import account_rules as rules
from scoring import rescore
from scoring.folding import database_instant
from scoring.formula import in_cents, power_sql
from scoring.rules import HALF_A_CENT

BATCH = 500
CHUNK = 20_000
# Who counts at an account: a merged lead is somebody else, a disqualified one nobody to sell to.
COUNTS = f"l.merged_into_id IS NULL AND l.stage <> '{Stage.DISQUALIFIED.value}'"


def scores_query(which: str, as_of: str = "%(as_of)s::timestamptz") -> str:
    """SQL for the standings of the accounts whose id meets `which`, all columns by name.

    `as_of` is the instant, or SQL over `k.account_id` that gives each account its own.
    """
    engaged = f"s.interest >= {in_cents(rules.ENGAGED_FROM)}"
    age = "floor(date_part('epoch', greatest(as_of - last_activity_at, interval '0')))"
    left = power_sql(f"-{age} / {rules.half_life_in_seconds()}")
    recency = f"floor({in_cents(rules.RECENCY)} * {left} + {HALF_A_CENT})::int"
    further = f"least(greatest(engaged_count - 1, 0), {rules.MOST_PEOPLE})"
    return f"""
        SELECT account_id, best + people + roles + recency AS score,
               coalesce(best, 0) AS best, people, roles, recency, best_lead_id, person_count,
               engaged_count, role_count, last_activity_at, as_of AS scored_at
          FROM (SELECT *, ({further} * {in_cents(rules.PER_PERSON)})::int AS people,
                       (least(role_count, {rules.MOST_ROLES})
                        * {in_cents(rules.PER_ROLE)})::int AS roles,
                       CASE WHEN last_activity_at IS NULL THEN 0 ELSE {recency} END AS recency
                  FROM (SELECT k.*, coalesce(r.role_count, 0) AS role_count, {as_of} AS as_of
                          FROM ({_people_sql(which, engaged)}) k
                          LEFT JOIN ({_roles_sql(which, engaged)}) r
                            ON r.account_id = k.account_id OFFSET 0) counted OFFSET 0) parts"""


def _people_sql(which: str, engaged: str) -> str:
    return f"""
        SELECT a.id AS account_id, max(s.score) AS best, count(s.lead_id) AS person_count,
               count(*) FILTER (WHERE {engaged}) AS engaged_count,
               (array_agg(s.lead_id ORDER BY s.score DESC NULLS LAST, s.lead_id))[1]
                   AS best_lead_id,
               max(t.at) FILTER (WHERE s.lead_id IS NOT NULL) AS last_activity_at
          FROM leads_account a
          LEFT JOIN leads_lead l ON l.account_id = a.id AND {COUNTS}
          LEFT JOIN leads_standing s ON s.lead_id = l.id AND s.scored_at IS NOT NULL
          LEFT JOIN leads_lastactivity t ON t.lead_id = s.lead_id
         WHERE a.id {which} GROUP BY a.id"""


def _roles_sql(which: str, engaged: str) -> str:
    return f"""
        SELECT l.account_id, count(DISTINCT b.kind) AS role_count
          FROM leads_buyingrole b
          JOIN leads_lead l ON l.id = b.lead_id AND {COUNTS}
          JOIN leads_standing s ON s.lead_id = l.id AND s.scored_at IS NOT NULL
         WHERE l.account_id {which} AND {engaged} GROUP BY l.account_id"""


@transaction.atomic
def score_accounts(account_ids: Sequence[int]) -> int:
    """Write the standings of these accounts; returns how many differ from what they were."""
    rescore.set_limits()
    values = {"account_ids": list(account_ids), "as_of": database_instant()}
    return write_account_standings(scores_query("= ANY(%(account_ids)s)"), values)


def refresh() -> int:
    """Let time pass for all accounts, in small transactions. Returns how many changed."""
    accounts = rescore.chunks_of_leads(Account.objects.all(), "pk", CHUNK)
    return sum(score_accounts(account_ids) for account_ids in accounts)


@transaction.atomic
def drain(limit: int = BATCH) -> int:
    """Score accounts whose people changed, once those are folded. Returns how many rows it took."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.id, s.account_id FROM leads_staleaccount s
             WHERE NOT EXISTS (SELECT 1 FROM scoring_dirtylead d JOIN leads_lead l
                                 ON l.id = d.lead_id WHERE l.account_id = s.account_id)
             ORDER BY s.id LIMIT %s FOR UPDATE OF s SKIP LOCKED
            """,
            [limit],
        )
        taken = cursor.fetchall()
        if taken:
            score_accounts(sorted({account_id for _row, account_id in taken}))
            rows = [row for row, _account in taken]
            cursor.execute("DELETE FROM leads_staleaccount WHERE id = ANY(%s)", [rows])
    return len(taken)
