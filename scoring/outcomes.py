"""Leads whose outcome is known by now, and the instant up to which a score may know things."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from leads.stages import MERGE_KINDS, EntryKind, Stage
from scoring.choosing import EVERYBODY, Which
from scoring.known_then import Cutoff

WON, LOST, REJECTED, DISQUALIFIED = "won", "lost", "rejected", "disqualified"
BEFORE_DECISION = timedelta(days=1)
# The newest so many: memory stays bounded however long the history is.
MOST_OUTCOMES = 100_000


@dataclass(frozen=True)
class Outcome:
    """How a lead's newest decided trip through the funnel ended.

    `was_mql`: `as_of` is the instant it became an MQL, otherwise a day before the decision.
    """

    lead_id: int
    kind: str
    decided_at: datetime
    as_of: datetime
    was_mql: bool

    @property
    def is_won(self) -> bool:
        return self.kind == WON

    @property
    def cutoff(self) -> Cutoff:
        return Cutoff(self.lead_id, self.as_of)


def known_outcomes(
    which: Which = EVERYBODY, *, most: int = MOST_OUTCOMES
) -> tuple[list[Outcome], int]:
    """One outcome for each of these leads, and how many had to be left out.

    Won: became a customer. Otherwise lost, disqualified, or sent back to nurture from MQL or
    later, which is rejected. Open trips are no outcome, whatever will become of them. Left out
    are decisions whose date nobody knows, all but the newest `most`, and merged leads, whose
    deeds moved away.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT ON (e.lead_id) e.lead_id,
                   CASE WHEN e.stage = %(customer)s THEN %(won)s
                        WHEN e.entry_kind = %(lost)s THEN %(lost)s
                        WHEN e.entry_kind = %(disqualified)s THEN %(disqualified)s
                        ELSE %(rejected)s END,
                   e.entered_at, m.entered_at, e.is_date_unknown
              FROM leads_stageepisode e
              JOIN leads_lead l ON l.id = e.lead_id AND l.stage <> %(merged)s
              LEFT JOIN leads_stageepisode m ON m.lead_id = e.lead_id AND m.stage = %(mql)s
                   AND m.cycle = e.cycle - (e.entry_kind = %(recycled)s)::int
                   AND m.entry_kind <> ALL(%(merges)s) AND NOT m.is_date_unknown
                   AND m.entered_at <= e.entered_at
             WHERE e.entry_kind <> ALL(%(merges)s) AND e.lead_id {which.sql}
               AND (e.stage = %(customer)s
                    OR e.entry_kind IN (%(lost)s, %(disqualified)s, %(recycled)s))
             ORDER BY e.lead_id, e.seq DESC
            """,
            {
                **{"won": WON, "rejected": REJECTED, "customer": Stage.CUSTOMER},
                **{"lost": EntryKind.LOST, "disqualified": EntryKind.DISQUALIFIED},
                **{"recycled": EntryKind.RECYCLED, "merged": Stage.MERGED, "mql": Stage.MQL},
                **{"merges": [str(kind) for kind in MERGE_KINDS], **which.values},
            },
        )
        rows = cursor.fetchall()
    found = [
        Outcome(lead_id, kind, decided_at, mql_at or decided_at - BEFORE_DECISION, bool(mql_at))
        for lead_id, kind, decided_at, mql_at, is_date_unknown in rows
        if not is_date_unknown
    ]
    found.sort(key=lambda outcome: (outcome.decided_at, outcome.lead_id))
    newest = found[-most:]
    return sorted(newest, key=lambda outcome: outcome.lead_id), len(rows) - len(newest)
