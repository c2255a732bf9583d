-- The same from the leads that {segment} lets a reader see who does not see every lead.
SELECT dimension, value, count(*)::int AS lead_count
FROM leads_lead
CROSS JOIN LATERAL (VALUES
    ('channel', channel),
    ('source', source),
    ('country', country),
    ('owner', coalesce(owner_id::text, ''))
) AS dimensions (dimension, value)
WHERE stage <> 'merged' AND {segment}
GROUP BY 1, 2
