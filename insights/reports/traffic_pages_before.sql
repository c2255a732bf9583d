-- Leads of a segment that reached a stage in a period, by page seen before. Parameters as there, and
-- goals.
SELECT seen.path, seen.stage, count(*)
FROM (
    SELECT DISTINCT stay.entered_on, stay.stage, stay.lead_id, page.key AS path
    FROM insights_stay AS stay
    JOIN leads_lead AS lead ON lead.id = stay.lead_id
    JOIN tracking_visit AS visit ON visit.lead_id = stay.lead_id AND NOT visit.is_machine
    CROSS JOIN LATERAL jsonb_each(visit.pages) AS page
    WHERE stay.entered_on >= %(from_on)s AND stay.entered_on < %(until_on)s
      AND stay.reached_elapsed IS NOT NULL AND stay.stage = ANY(%(goals)s)
      AND (%(channel)s::text IS NULL OR lead.channel = %(channel)s)
      AND (%(source)s::text IS NULL OR lead.source = %(source)s)
      AND (%(campaign)s::text IS NULL OR lead.campaign = %(campaign)s)
      AND visit.started_at + make_interval(secs => (page.value ->> 2)::integer) < stay.entered_at
) AS seen
GROUP BY 1, 2
