"""Do the standings of accounts say what their people do? In SQL for all, in Python for a sample."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from leads.account_standing import FACTS, PARTS
from leads.models import Account, AccountStanding, BuyingRole, Lead
from leads.stages import Stage
from scoring import rescore
from scoring.account_rules import Person, account_score
from scoring.account_scores import CHUNK, scores_query
from scoring.discrepancies import one_moment

SAMPLE = 500
# An account that waits to be scored again, or whose people were scored since, may differ.
# As one set, however wrong the planner's guess about fresh tables is.
UNSETTLED = """
    SELECT account_id FROM leads_staleaccount
     UNION SELECT l.account_id FROM leads_lead l JOIN scoring_dirtylead d ON d.lead_id = l.id
            WHERE l.account_id IS NOT NULL
     UNION SELECT l.account_id FROM leads_lead l
             JOIN leads_standing s ON s.lead_id = l.id
             JOIN leads_accountstanding x ON x.account_id = l.account_id
            WHERE s.scored_at > x.scored_at"""


@dataclass(frozen=True)
class AccountDiscrepancy:
    """One account whose standing is not what its people say."""

    account_id: int
    detail: str

    def __str__(self) -> str:
        return f"account {self.account_id}: {self.detail}"


def verify(sample: int | None = SAMPLE) -> list[AccountDiscrepancy]:
    """All accounts by SQL, and `sample` of them (None: all) by account_rules.py."""
    found = []
    for ids in rescore.chunks_of_leads(Account.objects.all(), "pk", CHUNK):
        found += _against_sql(ids)
    return found + _against_rules(sample)


@transaction.atomic
def _against_sql(account_ids: Sequence[int]) -> list[AccountDiscrepancy]:
    rescore.set_limits()
    own = "(SELECT x.scored_at FROM leads_accountstanding x WHERE x.account_id = k.account_id)"
    names = (*PARTS, *FACTS)
    stored, right = (", ".join(f"{row}.{name}" for name in names) for row in ("a", "fresh"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH fresh AS MATERIALIZED ({scores_query("= ANY(%(account_ids)s)", own)}),
                 unsettled AS MATERIALIZED ({UNSETTLED})
            SELECT a.account_id, a.score / 100.0, fresh.score / 100.0
              FROM fresh JOIN leads_accountstanding a ON a.account_id = fresh.account_id
             WHERE a.scored_at IS NOT NULL AND ({stored}) IS DISTINCT FROM ({right})
               AND a.account_id NOT IN (SELECT account_id FROM unsettled) ORDER BY 1
            """,
            {"account_ids": list(account_ids)},
        )
        return [
            AccountDiscrepancy(account_id, f"stored {stored_score}, people say {right_score}")
            for account_id, stored_score, right_score in cursor.fetchall()
        ]


def _against_rules(sample: int | None) -> list[AccountDiscrepancy]:
    with one_moment("leads_standing"):
        settled = AccountStanding.objects.raw(
            f"""WITH unsettled AS MATERIALIZED ({UNSETTLED})
                SELECT a.* FROM leads_accountstanding a
                 WHERE a.scored_at IS NOT NULL
                   AND a.account_id NOT IN (SELECT account_id FROM unsettled)
                 ORDER BY a.account_id DESC LIMIT %s""",
            [sample],
        )
        standings = list(settled)
        people = _people_of([standing.account_id for standing in standings])
    found = []
    for standing in standings:
        assert standing.scored_at is not None
        right = account_score(people[standing.account_id], standing.scored_at)
        parts = (standing.best, standing.people, standing.roles, standing.recency)
        expected = (right.best, right.people, right.roles, right.recency) if right else (0,) * 4
        if parts != expected or standing.score != (right.score if right else None):
            detail = f"stored {standing.score}, by rules {right.score if right else None}"
            found.append(AccountDiscrepancy(standing.account_id, detail))
    return found


def _people_of(account_ids: Sequence[int]) -> dict[int, list[Person]]:
    roles = defaultdict(set)
    for lead_id, kind in BuyingRole.objects.filter(lead__account__in=account_ids).values_list(
        "lead_id", "kind"
    ):
        roles[lead_id].add(kind)
    known = Lead.objects.filter(
        account__in=account_ids, merged_into=None, standing__scored_at__isnull=False
    )
    rows = known.exclude(stage=Stage.DISQUALIFIED).values_list(
        "account_id", "pk", "standing__score", "standing__interest", "last_activity__at"
    )
    people: dict[int, list[Person]] = defaultdict(list)
    for account_id, pk, score, interest, at in rows:
        people[account_id].append(Person(pk, score, interest, frozenset(roles[pk]), at))
    return people
