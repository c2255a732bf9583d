-- Leads that reached a stage in a period, by page seen before, from cells. Parameters as there.
SELECT path, stage, sum(leads)
FROM insights_pagegoalcell
WHERE day >= %(from_on)s AND day < %(until_on)s AND channel = coalesce(%(channel)s, '')
GROUP BY 1, 2
