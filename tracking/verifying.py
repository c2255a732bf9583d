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
        "accepted = stored + purged",
        """
        SELECT format('source %s: accepted %s, stored %s, purged %s', s.id,
                      coalesce(c.accepted, 0), coalesce(e.stored, 0), coalesce(p.purged, 0))
          FROM tracking_source s
          LEFT JOIN (SELECT source_id, sum(count) AS accepted FROM tracking_ingestcount
                      WHERE outcome = 'accepted' GROUP BY 1) c ON c.source_id = s.id
          LEFT JOIN (SELECT source_id, count(*) AS stored FROM tracking_event GROUP BY 1) e
                 ON e.source_id = s.id
          LEFT JOIN (SELECT source_id, sum(count) AS purged FROM tracking_purgecount GROUP BY 1) p
                 ON p.source_id = s.id
         WHERE coalesce(c.accepted, 0) <> coalesce(e.stored, 0) + coalesce(p.purged, 0)
        """,
    ),
    Check(
        "the message of every purged or marked event is remembered",
        """
        SELECT format('remembered %s, purged %s, marked %s', remembered, purged, marked)
          FROM (SELECT (SELECT count(*) FROM tracking_purgedmessage) AS remembered,
                       (SELECT coalesce(sum(count), 0) FROM tracking_purgecount) AS purged,
                       (SELECT count(*) FROM tracking_purgemark) AS marked) counts
         WHERE remembered <> purged + marked
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
           AND (SELECT k.reaches_back OR k.started_at <= e.occurred_at
                  FROM tracking_visitorlink k WHERE k.visitor_id = v.id
                 ORDER BY k.started_at, k.id LIMIT 1)
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
    Check(
        "a verdict is what its signals say, or the rule that decided",
        """
        SELECT format('event %s: verdict %s, signals %s', e.id, e.verdict, e.verdict_signals)
          FROM tracking_event e
         CROSS JOIN LATERAL (
           SELECT max(CASE r.effect WHEN 'human' THEN 0 WHEN 'machine' THEN 2 ELSE 3 END)
                    FILTER (WHERE r.id IS NOT NULL) AS ruled,
                  bool_or(s.effect = 'staff') AS is_staff,
                  bool_or(s.effect = 'machine') AS is_machine,
                  bool_or(s.effect = 'suspected') OR count(*) FILTER (WHERE s.effect = 'weak') >= 2
                  AS is_suspected
             FROM unnest(e.verdict_signals) AS signal
             LEFT JOIN tracking_verdictrule r ON 'rule:' || r.id = signal AND r.ended_at IS NULL
             LEFT JOIN tracking_verdictsignal s ON s.name = signal) said
         WHERE e.verdict_signals <> '{}'
           AND NOT e.verdict_signals && '{earlier_machine,earlier_suspected}'
           AND e.verdict <> coalesce(ruled, CASE WHEN is_staff THEN 3 WHEN is_machine THEN 2
                                                 WHEN is_suspected THEN 1 ELSE 0 END)
           AND NOT EXISTS (SELECT 1 FROM tracking_verdictrun WHERE finished_at IS NULL)
           AND NOT EXISTS (SELECT 1 FROM tracking_pendingevent p WHERE p.event_id = e.id)
        """,
    ),
    Check(
        "the history of verdicts ends with the verdict of the event",
        """
        SELECT format('event %s: is %s, history says %s', e.id, e.verdict, c.verdict)
          FROM (SELECT DISTINCT ON (event_id) event_id, verdict, signals
                  FROM tracking_verdictchange ORDER BY event_id, id DESC) c
          JOIN tracking_event e ON e.id = c.event_id
         WHERE (e.verdict, e.verdict_signals) IS DISTINCT FROM (c.verdict, c.signals)
           AND NOT EXISTS (SELECT 1 FROM tracking_pendingevent p WHERE p.event_id = e.id)
        """,
    ),
    Check(
        "a visitor who is nobody's lead did something that counts",
        """
        SELECT format('visitor %s', v.id) FROM tracking_visitor v
         WHERE v.lead_id IS NULL
           AND NOT EXISTS (SELECT 1 FROM tracking_visitorlink k WHERE k.visitor_id = v.id)
           AND EXISTS (SELECT 1 FROM tracking_event e WHERE e.anonymous_id = v.anonymous_id
                          AND e.anonymous_id <> '')
           AND NOT EXISTS (SELECT 1 FROM tracking_event e WHERE e.anonymous_id = v.anonymous_id
                              AND e.anonymous_id <> '' AND e.verdict < 2)
        """,
    ),
)
