-- What became of the stays that began in the period, and how long they took, from one scan of
-- {facts}. Two kinds of rows:
--   stage, month, is_mature, exit_kind, is_in_window -> [stay_count]
--   stage, is_open                                   -> stay_counts by durations (timed stays only)
-- Parameters: matured_before (day), window (code of insights/rules.py), today (day).
-- An open stay has lasted at least the whole days since the end of the day it began on.
WITH counted AS MATERIALIZED (
    SELECT
        grouping(exit_kind) = 1 AS is_duration, stage, month, is_mature, exit_kind, is_in_window,
        is_timed, is_open, duration, sum(stay_count)::int AS stay_count
    FROM (
        SELECT
            stage, exit_kind, is_timed, stay_count,
            date_trunc('month', began_on::timestamp)::date AS month,
            began_on < %(matured_before)s AS is_mature,
            elapsed >= 0 AND elapsed < %(window)s AS is_in_window,
            elapsed < 0 AS is_open,
            CASE
                WHEN elapsed >= 0 THEN elapsed
                WHEN %(today)s - began_on <= 1 THEN 0
                WHEN %(today)s - began_on <= 3 THEN 24 * (%(today)s - began_on - 1)
                ELSE 69 + (%(today)s - began_on - 1)
            END AS duration
        FROM ({facts}) AS facts
    ) AS stays
    GROUP BY GROUPING SETS (
        (stage, month, is_mature, exit_kind, is_in_window),
        (stage, is_timed, is_open, duration)
    )
)
SELECT stage, month, is_mature, exit_kind, is_in_window, NULL, NULL, ARRAY[stay_count]
FROM counted
WHERE NOT is_duration
UNION ALL
SELECT stage, NULL, NULL, NULL, NULL, is_open, array_agg(duration), array_agg(stay_count)
FROM counted
WHERE is_duration AND is_timed
GROUP BY stage, is_open
