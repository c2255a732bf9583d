-- The same leads by each page that they had seen before they reached the stage.
INSERT INTO insights_pagegoalcell (day, stage, channel, path, leads)
SELECT seen.entered_on, seen.stage, slice.channel, seen.path, count(*)
FROM (
    SELECT DISTINCT stay.entered_on, stay.stage, stay.lead_id, lead.channel, page.key AS path
    FROM insights_stay AS stay
    JOIN leads_lead AS lead ON lead.id = stay.lead_id
    JOIN tracking_visit AS visit ON visit.lead_id = stay.lead_id AND NOT visit.is_machine
    CROSS JOIN LATERAL jsonb_each(visit.pages) AS page
    WHERE stay.entered_on = ANY(%(days)s) AND stay.reached_elapsed IS NOT NULL
      AND stay.stage = ANY(%(goals)s)
      AND visit.started_at + make_interval(secs => (page.value ->> 2)::integer) < stay.entered_at
) AS seen
CROSS JOIN LATERAL (VALUES (''), (seen.channel)) AS slice (channel)
GROUP BY 1, 2, 3, 4
