-- The same from the stays of {segment}, for readers who do not see every lead.
SELECT dimension, value, count(*)::int AS lead_count
FROM insights_stay
CROSS JOIN LATERAL (VALUES
    ('channel', channel),
    ('source', source),
    ('country', country),
    ('owner', coalesce(owner_id::text, ''))
) AS dimensions (dimension, value)
WHERE seq = 1 AND {segment}
GROUP BY 1, 2
