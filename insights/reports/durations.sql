-- How long the timed stays that began in the period took, or have lasted so far:
--   stage, is_open -> durations and stay_counts, two arrays of the same order
-- Parameter: today (day). An open stay has lasted at least the whole days since the end of
-- the day it began on (insights/rules.py has the codes).
SELECT
    stage, is_open, array_agg(duration) AS durations, array_agg(stay_count) AS stay_counts
FROM (
    SELECT
        stage, elapsed < 0 AS is_open,
        CASE
            WHEN elapsed >= 0 THEN elapsed
            WHEN %(today)s - began_on <= 1 THEN 0
            WHEN %(today)s - began_on <= 3 THEN 24 * (%(today)s - began_on - 1)
            ELSE 69 + (%(today)s - began_on - 1)
        END AS duration,
        sum(stay_count)::int AS stay_count
    FROM ({facts}) AS facts
    GROUP BY 1, 2, 3
) AS counted
GROUP BY 1, 2
