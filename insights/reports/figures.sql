-- All figures of the funnel page in one statement, so from one instant and one scan of what
-- {prelude} picks out. Each column is an array of the rows of one report.
{prelude}
SELECT
    (SELECT json_agg(json_build_array(stage, stay_count)) FROM (
        SELECT stage, sum(stay_count)::int AS stay_count FROM ({current}) AS open_stays GROUP BY 1
    ) AS current),
    (SELECT json_agg(json_build_array(
            stage, month, is_mature, exit_kind, is_in_window, is_told, stay_count
        ))
        FROM ({steps}) AS steps),
    (SELECT json_agg(json_build_array(stage, is_open, durations, stay_counts))
        FROM ({durations}) AS durations),
    (SELECT json_agg(json_build_array(stage, is_mature, is_in_horizon, bound, lead_count))
        FROM ({reach}) AS reach),
    (SELECT json_agg(json_build_array(stage, stay_count)) FROM (
        SELECT stage, sum(stay_count)::int AS stay_count FROM ({undated}) AS undated_stays GROUP BY 1
    ) AS undated)
