-- What became of the stays that began in the period:
--   stage, month, is_mature, exit_kind, is_in_window, is_told -> stay_count
-- is_told: both ends (or the only one) are known instants. An unknown month is null.
-- Parameters: matured_before (day), window (code of insights/rules.py).
SELECT
    stage,
    CASE WHEN began_on < {unknown_day} THEN date_trunc('month', began_on::timestamp)::date END
        AS month,
    began_on < %(matured_before)s AS is_mature, exit_kind,
    elapsed >= 0 AND elapsed < %(window)s AS is_in_window,
    began_on < {unknown_day} AND elapsed >= -1 AS is_told,
    sum(stay_count)::int AS stay_count
FROM ({facts}) AS facts
GROUP BY 1, 2, 3, 4, 5, 6
