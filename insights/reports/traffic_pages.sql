-- Visits that saw a page, for all and by channel.
INSERT INTO insights_pagecell (day, is_machine, channel, path, visits, views, engaged_ms)
SELECT
    visit.day, visit.is_machine, slice.channel, page.key,
    count(*), sum((page.value ->> 0)::integer), sum((page.value ->> 1)::bigint)
FROM ({visits}) AS visit
CROSS JOIN LATERAL jsonb_each(visit.pages) AS page
CROSS JOIN LATERAL (VALUES (''), (visit.channel)) AS slice (channel)
GROUP BY 1, 2, 3, 4
