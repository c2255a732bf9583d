-- What became of the stays that began in the period:
--   stage, month, is_mature, exit_kind, is_in_window -> stay_count
-- Parameters: matured_before (day), window (code of insights/rules.py).
SELECT
    stage, date_trunc('month', began_on::timestamp)::date AS month,
    began_on < %(matured_before)s AS is_mature, exit_kind,
    elapsed >= 0 AND elapsed < %(window)s AS is_in_window,
    sum(stay_count)::int AS stay_count
FROM ({facts}) AS facts
GROUP BY 1, 2, 3, 4, 5
