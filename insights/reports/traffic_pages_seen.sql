-- Pages of a period and segment, from visits. Parameters: from_on, until_on, zone, and channel,
-- source and campaign (null: all).
SELECT
    page.key,
    count(*) FILTER (WHERE NOT visit.is_machine), count(*),
    coalesce(sum((page.value ->> 0)::integer) FILTER (WHERE NOT visit.is_machine), 0),
    coalesce(sum((page.value ->> 1)::bigint) FILTER (WHERE NOT visit.is_machine), 0)
FROM tracking_visit AS visit
CROSS JOIN LATERAL jsonb_each(visit.pages) AS page
WHERE visit.started_at >= %(from_on)s::timestamp AT TIME ZONE %(zone)s
  AND visit.started_at < %(until_on)s::timestamp AT TIME ZONE %(zone)s
  AND (%(channel)s::text IS NULL OR visit.channel = %(channel)s)
  AND (%(source)s::text IS NULL OR visit.source = %(source)s)
  AND (%(campaign)s::text IS NULL OR visit.campaign = %(campaign)s)
GROUP BY 1
