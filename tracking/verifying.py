"""Are the counters right, and did every event find its lead? For `manage.py verify_ledger`."""

from __future__ import annotations

from leads.verifying import Check

CHECKS = (
    Check(
        "received = accepted + duplicate + rejected + quarantined",
        """
        SELECT format('source %s on %s: received %s, known what became of %s',
                      source_id, day, received, settled)
          FROM (SELECT source_id, day,
                       coalesce(sum(count) FILTER (WHERE outcome = 'received'), 0) AS received,
                       coalesce(sum(count) FILTER (WHERE outcome <> 'received'), 0) AS settled
                  FROM tracking_ingestcount GROUP BY 1, 2) days
         WHERE received <> settled
        """,
    ),
    Check(
        "as many events are stored as were accepted",
        """
        SELECT format('source %s: accepted %s, stored %s', s.id, coalesce(c.accepted, 0),
                      coalesce(e.stored, 0))
          FROM tracking_source s
          LEFT JOIN (SELECT source_id, sum(count) AS accepted FROM tracking_ingestcount
                      WHERE outcome = 'accepted' GROUP BY 1) c ON c.source_id = s.id
          LEFT JOIN (SELECT source_id, count(*) AS stored FROM tracking_event GROUP BY 1) e
                 ON e.source_id = s.id
         WHERE coalesce(c.accepted, 0) <> coalesce(e.stored, 0)
        """,
    ),
    Check(
        "as many messages lie in quarantine as were counted",
        """
        SELECT format('source %s: counted %s, in quarantine %s', coalesce(c.source_id, q.source_id),
                      coalesce(c.counted, 0), coalesce(q.kept, 0))
          FROM (SELECT source_id, sum(count) AS counted FROM tracking_ingestcount
                 WHERE outcome = 'quarantined' GROUP BY 1) c
          FULL JOIN (SELECT source_id, count(*) AS kept FROM tracking_quarantinedmessage
                      WHERE step = 'store' AND replayed_at IS NULL GROUP BY 1) q
                 ON q.source_id = c.source_id
         WHERE coalesce(c.counted, 0) <> coalesce(q.kept, 0)
        """,
    ),
    Check(
        "what waits to be attached, and what linked a visitor, is a stored event",
        """
        SELECT format('waiting event %s', p.event_id) FROM tracking_pendingevent p
         WHERE NOT EXISTS (SELECT 1 FROM tracking_event e WHERE e.id = p.event_id)
         UNION ALL
        SELECT format('event %s, by which visitor %s became lead %s', k.event_id, k.visitor_id,
                      k.lead_id)
          FROM tracking_visitorlink k
         WHERE NOT EXISTS (SELECT 1 FROM tracking_event e WHERE e.id = k.event_id)
        """,
    ),
    Check(
        "what a recognised visitor did belongs to a lead",
        """
        SELECT format('event %s of visitor %s', e.id, v.id)
          FROM tracking_event e JOIN tracking_visitor v USING (anonymous_id)
         WHERE e.lead_id IS NULL AND e.anonymous_id <> ''
           AND EXISTS (SELECT 1 FROM tracking_visitorlink k WHERE k.visitor_id = v.id)
           AND NOT EXISTS (SELECT 1 FROM tracking_pendingevent p WHERE p.event_id = e.id)
           AND NOT EXISTS (SELECT 1 FROM tracking_quarantinedmessage q WHERE q.event_id = e.id)
        """,
    ),
    Check(
        "no event belongs to a lead that was merged away",
        """
        SELECT format('event %s of lead %s', e.id, e.lead_id)
          FROM leads_lead l JOIN tracking_event e ON e.lead_id = l.id WHERE l.stage = 'merged'
        """,
    ),
    Check(
        "a visitor is the lead of the newest link",
        """
        SELECT format('visitor %s: is lead %s, newest link says %s', v.id, v.lead_id, k.lead_id)
          FROM tracking_visitor v
          LEFT JOIN (SELECT DISTINCT ON (visitor_id) visitor_id, lead_id
                       FROM tracking_visitorlink
                      ORDER BY visitor_id, started_at DESC, id DESC) k ON k.visitor_id = v.id
         WHERE v.lead_id IS DISTINCT FROM k.lead_id
        """,
    ),
)
