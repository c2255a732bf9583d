-- Pages of a period, from cells. Parameters: from_on, until_on, channel (null: all).
SELECT
    path, coalesce(sum(visits) FILTER (WHERE NOT is_machine), 0), sum(visits),
    coalesce(sum(views) FILTER (WHERE NOT is_machine), 0),
    coalesce(sum(engaged_ms) FILTER (WHERE NOT is_machine), 0)
FROM insights_pagecell
WHERE day >= %(from_on)s AND day < %(until_on)s AND channel = coalesce(%(channel)s, '')
GROUP BY 1
