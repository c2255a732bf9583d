"""Are the books of the lifecycle in order? Each check is one SQL query over all leads.

PostgreSQL refuses what these checks look for, as long as its triggers and constraints
are on; a restored dump, a replica role or a damaged disk knows neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection, transaction

EXAMPLES = 5


class Check(NamedTuple):
    """`sql` yields one text for each thing that is not as `title` says."""

    title: str
    sql: str


@dataclass(frozen=True)
class Outcome:
    """How many discrepancies a check found, and the first few in words."""

    title: str
    count: int
    examples: list[str]


@contextmanager
def snapshot(*swapped: str) -> Iterator[None]:
    """All that is read inside is of one moment, and nothing is written.

    Tables that others swap (leads/swapping.py) are held first: the new one would look empty to
    a moment before it was there. Within a transaction of the caller it is that one's isolation.
    """
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if is_outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # Whoever compares in Python computes meanwhile.
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        for table in swapped:
            cursor.execute(f"LOCK TABLE {table} IN ACCESS SHARE MODE")
        yield


@transaction.atomic
def run(check: Check) -> Outcome:
    """Run one check, on one snapshot of the database, however long it takes."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '64MB'")
        cursor.execute(
            "SELECT count(*) OVER (), said FROM (SELECT ''::text WHERE false UNION ALL"  # noqa: S608
            f" ({check.sql})) AS found(said) ORDER BY said LIMIT {EXAMPLES}"
        )
        rows = cursor.fetchall()
    return Outcome(check.title, rows[0][0] if rows else 0, [said for _count, said in rows])


CHECKS = (
    Check(
        "every lead has a first episode, and numbers them without a gap",
        """
        SELECT format('lead %s: %s episodes, numbered %s to %s', l.id, coalesce(e.many, 0),
                      e.first, e.last)
          FROM leads_lead l
          LEFT JOIN (SELECT lead_id, count(*) AS many, min(seq) AS first, max(seq) AS last
                       FROM leads_stageepisode GROUP BY 1) e ON e.lead_id = l.id
         WHERE coalesce(e.many, 0) = 0 OR e.first <> 1 OR e.last <> e.many
        """,
    ),
    Check(
        "a lead is in the stage of its newest episode",
        """
        SELECT format('lead %s: is in %s (cycle %s, episode %s), newest episode is %s of %s',
                      l.id, l.stage, l.cycle, l.episode_seq, e.seq, e.stage)
          FROM leads_lead l
          JOIN (SELECT DISTINCT ON (lead_id)
                       lead_id, seq, stage, cycle, entered_at, is_date_unknown
                  FROM leads_stageepisode ORDER BY lead_id, seq DESC) e ON e.lead_id = l.id
         WHERE (l.stage, l.cycle, l.episode_seq, l.stage_entered_at, l.is_stage_date_unknown)
               IS DISTINCT FROM (e.stage, e.cycle, e.seq::int, e.entered_at, e.is_date_unknown)
        """,
    ),
    Check(
        "the newest episode of a lead, and no other, is open",
        """
        SELECT format('lead %s: episode %s is %s', e.lead_id, e.seq,
                      CASE WHEN e.left_at IS NULL THEN 'open' ELSE 'closed' END)
          FROM (SELECT lead_id, seq, left_at,
                       lead(seq) OVER (PARTITION BY lead_id ORDER BY seq) AS next
                  FROM leads_stageepisode) e
         WHERE (e.left_at IS NULL) <> (e.next IS NULL)
        """,
    ),
    Check(
        "an episode begins when, where and how the one before it ended",
        """
        SELECT format('lead %s: episode %s (from %s) does not continue %s (%s)',
                      e.lead_id, e.seq, e.from_stage, e.seq - 1, e.before_stage)
          FROM (SELECT *, lag(seq) OVER w AS before_seq, lag(stage) OVER w AS before_stage,
                       lag(left_at) OVER w AS before_left, lag(exit_kind) OVER w AS before_exit,
                       lag(cycle) OVER w AS before_cycle
                  FROM leads_stageepisode WINDOW w AS (PARTITION BY lead_id ORDER BY seq)) e
         WHERE e.before_seq IS NOT NULL
           AND (e.previous_seq, e.from_stage, e.entered_at, e.entry_kind, e.cycle)
               IS DISTINCT FROM (e.before_seq, e.before_stage, e.before_left, e.before_exit,
                                 e.before_cycle + e.starts_cycle::int)
        """,
    ),
    Check(
        "every move is a legal one, and none runs backwards in time",
        """
        SELECT format('lead %s: episode %s, %s → %s (%s)', e.lead_id, e.seq, e.from_stage,
                      e.stage, e.entry_kind)
          FROM leads_stageepisode e
          LEFT JOIN leads_stagemove m ON m.from_stage = e.from_stage AND m.to_stage = e.stage
                AND m.kind = e.entry_kind AND m.starts_cycle = e.starts_cycle
         WHERE m.id IS NULL OR e.left_at < e.entered_at
        """,
    ),
    Check(
        "a merged lead is where its open merge says, and no other lead is merged",
        """
        SELECT format('lead %s in %s: stands for lead %s, its open merge says %s', l.id, l.stage,
                      coalesce(l.merged_into_id::text, 'none'),
                      coalesce(m.survivor_id::text, 'none'))
          FROM leads_lead l
          LEFT JOIN leads_merge m ON m.loser_id = l.id AND m.undone_at IS NULL
         WHERE l.merged_into_id IS DISTINCT FROM m.survivor_id
            OR (l.stage = 'merged') <> (l.merged_into_id IS NOT NULL)
        """,
    ),
    Check(
        "whoever comes back out of a merge is where the merge took it from",
        """
        SELECT format('lead %s: episode %s is %s', back.lead_id, back.seq, back.stage)
          FROM leads_stageepisode back
          LEFT JOIN leads_stageepisode away ON away.lead_id = back.lead_id
                AND away.seq = back.seq - 1 AND away.stage = 'merged'
                AND (away.from_stage, away.cycle) = (back.stage, back.cycle)
         WHERE back.entry_kind = 'restored' AND away.id IS NULL
        """,
    ),
    Check(
        "every lead has a standing and a last activity, known or not",
        """
        SELECT format('lead %s', l.id) FROM leads_lead l
         WHERE NOT EXISTS (SELECT 1 FROM leads_standing s WHERE s.lead_id = l.id)
            OR NOT EXISTS (SELECT 1 FROM leads_lastactivity a WHERE a.lead_id = l.id)
        """,
    ),
)
