-- How far the leads that became known in the period came, counted at their first stay in each
-- stage: stage, is_mature (older than the horizon), is_in_horizon, bound -> lead_count.
-- Where the date of that stay is unknown the lead is counted twice, by when it was there at the
-- latest (bound 'until') and at the earliest ('after'); else once, bound ''.
-- Parameters: captured_matured_before (day), horizon (code of insights/rules.py).
SELECT
    stage, began_on < %(captured_matured_before)s AS is_mature, elapsed < %(horizon)s AS is_in_horizon,
    exit_kind AS bound, sum(stay_count)::int AS lead_count
FROM ({facts}) AS facts
GROUP BY 1, 2, 3, 4
