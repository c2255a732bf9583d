-- Leads that reached a stage for the first time, by origin.
INSERT INTO insights_goalcell (day, stage, channel, source, campaign, leads)
SELECT stay.entered_on, stay.stage, lead.channel, lead.source, lead.campaign, count(*)
FROM insights_stay AS stay JOIN leads_lead AS lead ON lead.id = stay.lead_id
WHERE stay.entered_on = ANY(%(days)s) AND stay.reached_elapsed IS NOT NULL
  AND stay.stage = ANY(%(goals)s)
GROUP BY 1, 2, 3, 4, 5
