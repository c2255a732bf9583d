"""Do hand-offs and opportunities agree with the stages? For `manage.py verify_ledger`."""

from __future__ import annotations

from leads.verifying import Check
from sales.handoff import STALE_AFTER

CHECKS = (
    Check(
        "every MQL has one hand-off that waits",
        # A moment's grace: after an import the relay submits them; what is stale it leaves.
        f"""
        SELECT format('lead %s: %s open hand-offs', e.lead_id, count(h.id))
          FROM leads_stageepisode e
          LEFT JOIN sales_handoff h ON h.episode_id = e.id AND h.state = 'submitted'
         WHERE e.stage = 'mql' AND e.left_at IS NULL
           AND EXISTS (SELECT FROM leads_stageepisode known
                        WHERE known.lead_id = e.lead_id AND NOT known.is_date_unknown
                          AND known.entered_at > now() - interval '{STALE_AFTER.days:d} days')
           AND e.recorded_at < now() - interval '1 minute'
         GROUP BY e.lead_id HAVING count(h.id) <> 1
        """,  # noqa: S608
    ),
    Check(
        "a hand-off waits only for a lead that is an MQL now",
        """
        SELECT format('hand-off %s of lead %s, which is in %s', h.id, h.lead_id, l.stage)
          FROM sales_handoff h JOIN leads_lead l ON l.id = h.lead_id
          JOIN leads_stageepisode e ON e.id = h.episode_id
         WHERE h.state = 'submitted' AND NOT (l.stage = 'mql' AND e.left_at IS NULL)
        """,
    ),
    Check(
        "a hand-off belongs to a stay in MQL, and its decision ended it",
        """
        SELECT format('hand-off %s of lead %s: %s, the stay in %s ended by %s', h.id, h.lead_id,
                      h.state, e.stage, coalesce(nullif(e.exit_kind, ''), 'nothing'))
          FROM sales_handoff h JOIN leads_stageepisode e ON e.id = h.episode_id
         WHERE e.stage <> 'mql' OR (e.lead_id, e.cycle) <> (h.lead_id, h.cycle)
            OR (h.state = 'accepted' AND e.exit_kind <> 'advanced')
            OR (h.state = 'rejected' AND e.exit_kind NOT IN ('recycled', 'disqualified', 'merged'))
        """,
    ),
    Check(
        "the log of a hand-off ends with its state",
        """
        SELECT format('hand-off %s: %s, its log says %s', h.id, h.state,
                      coalesce(newest.kind, 'nothing'))
          FROM sales_handoff h
          LEFT JOIN (SELECT DISTINCT ON (handoff_id) handoff_id, kind FROM sales_handoffevent
                      ORDER BY handoff_id, id DESC) newest ON newest.handoff_id = h.id
         WHERE CASE WHEN h.state = 'submitted'
                    THEN coalesce(newest.kind, '') NOT IN ('submitted', 'assigned', 'reassigned',
                                                           'queued')
                    ELSE newest.kind IS DISTINCT FROM h.state END
        """,
    ),
    Check(
        "an opportunity is open only while its lead is in SAL or SQL",
        """
        SELECT format('opportunity %s of lead %s: open, the lead is in %s', o.id, l.id, l.stage)
          FROM sales_opportunity o JOIN leads_lead l ON l.id = o.lead_id
         WHERE o.outcome = 'open' AND NOT (l.stage IN ('sal', 'sql') AND l.cycle = o.cycle)
        """,
    ),
    Check(
        "a lead in SQL has an open opportunity",
        """
        SELECT format('lead %s: its opportunity is %s', l.id, coalesce(o.outcome, 'missing'))
          FROM leads_lead l
          LEFT JOIN sales_opportunity o ON o.lead_id = l.id AND o.cycle = l.cycle
         WHERE l.stage = 'sql' AND o.outcome IS DISTINCT FROM 'open'
        """,
    ),
    Check(
        "a deal is won if and only if the lead became a customer in that cycle",
        """
        SELECT format('opportunity %s of lead %s: %s', o.id, o.lead_id, o.outcome)
          FROM sales_opportunity o
         WHERE (o.outcome = 'won') <> EXISTS (
               SELECT 1 FROM leads_stageepisode e WHERE e.lead_id = o.lead_id
                  AND e.cycle = o.cycle AND e.stage = 'customer')
        """,
    ),
)
