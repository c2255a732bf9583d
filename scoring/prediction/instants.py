"""When each lead is looked at, and what became of it within the horizon after that.

Each lead is looked at once, when it has been known for 1, 7, 30 or 90 days: its
number decides which, not its fate. It counts when it was open then, before the
outcome, and when the whole horizon has passed since: a younger lead is censored,
neither won nor lost. Who left without the outcome, or was still open at the end
of the horizon, did not reach it. Where nobody knows when it was reached, the lead says
nothing; a stage that was passed through was reached by the instant of the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from leads.stages import FUNNEL, MERGE_KINDS, POSITION, Stage

AGES = (1, 7, 30, 90)  # days
MOST_LEADS = 75_000  # the newest; more would not fit into the time of a training


@dataclass(frozen=True)
class Ripe:
    """One lead whose outcome is known. The instants are timezone-aware."""

    lead_id: int
    instant: datetime
    label: int


def stages_before(outcome: str) -> list[str]:
    """The stages of the funnel in which a lead still has this outcome ahead."""
    return [stage for stage in FUNNEL if POSITION[stage] < POSITION[Stage(outcome)]]


# Fibonacci hashing spreads numbers that follow each other over the ages (Knuth, 6.4).
_AGE = "(%(ages)s::int[])[1 + ((l.id * 2654435761) %% 4294967296 / 1073741824)::int]"
_RIPE = f"""
WITH begun AS (
    SELECT l.id AS lead_id, least(l.created_at, first.entered_at)
             + {_AGE} * interval '1 day' AS instant
      FROM leads_lead l JOIN leads_stageepisode first ON first.lead_id = l.id AND first.seq = 1
     WHERE l.merged_into_id IS NULL AND NOT first.is_date_unknown
       AND first.entered_at <= %(as_of)s
), ripe AS (
    SELECT * FROM begun
     WHERE instant > %(since)s AND instant <= %(as_of)s - %(horizon)s
       AND EXISTS (SELECT FROM leads_stageepisode e WHERE e.lead_id = begun.lead_id
                      AND e.stage = ANY(%(before)s) AND e.entered_at <= instant
                      AND (e.left_at IS NULL OR e.left_at > instant))
       AND NOT EXISTS (SELECT FROM leads_stageepisode e WHERE e.lead_id = begun.lead_id
                          AND e.stage = %(outcome)s AND e.is_date_unknown
                          AND NOT e.is_pass_through)
     ORDER BY instant DESC, lead_id DESC LIMIT %(most)s
)
SELECT lead_id, instant,
       EXISTS (SELECT FROM leads_stageepisode e WHERE e.lead_id = ripe.lead_id
                  AND e.stage = %(outcome)s AND e.entered_at > instant
                  AND e.entered_at <= instant + %(horizon)s
                  AND e.entry_kind <> ALL(%(merge_kinds)s))::int
  FROM ripe ORDER BY instant, lead_id
"""


def ripe_leads(
    outcome: str, horizon: timedelta, as_of: datetime, since: datetime | None = None
) -> list[Ripe]:
    """Leads whose outcome was known at `as_of`, oldest instant first; the newest MOST_LEADS.

    `since`: only those looked at after it.
    """
    parameters: dict[str, Any] = {
        "ages": list(AGES),
        "as_of": as_of,
        "since": since or datetime.min.replace(tzinfo=as_of.tzinfo),
        "horizon": horizon,
        "before": list(map(str, stages_before(outcome))),
        "outcome": outcome,
        "merge_kinds": list(map(str, MERGE_KINDS)),
        "most": MOST_LEADS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RIPE, parameters)
        return [Ripe(*row) for row in cursor.fetchall()]


def open_leads(outcome: str, after_lead_id: int, limit: int) -> list[int]:
    """Ids of the next leads that have the outcome still ahead, in order of id."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT id FROM leads_lead WHERE id > %s AND stage = ANY(%s)
                ORDER BY id LIMIT %s""",
            [after_lead_id, list(map(str, stages_before(outcome))), limit],
        )
        return [row[0] for row in cursor.fetchall()]


def instants_of(ripe: Sequence[Ripe]) -> dict[int, datetime]:
    return {one.lead_id: one.instant for one in ripe}
