-- Which cells a set of stays ({stays}, with a column `sign` of 1 or -1) adds up to.
-- Closed stays are counted by month, open ones by day, for their age matters.
SELECT
    slice, measure, began_on, stage, counted.exit_kind, counted.elapsed, counted.is_timed,
    sum(sign)::int AS stay_count
FROM {stays} AS stay
CROSS JOIN LATERAL (VALUES
    ('all'),
    ('channel:' || channel),
    ('source:' || source),
    ('country:' || country),
    ('owner:' || coalesce(owner_id::text, ''))
) AS slices (slice)
CROSS JOIN LATERAL (
    SELECT
        'step' AS measure,
        CASE WHEN stay.elapsed < 0 THEN entered_on
             ELSE date_trunc('month', entered_on::timestamp)::date END AS began_on,
        stay.exit_kind, stay.elapsed, stay.is_timed
    UNION ALL
    SELECT
        'reach', date_trunc('month', captured_on::timestamp)::date, '', reached_elapsed, true
    WHERE reached_elapsed IS NOT NULL
) AS counted
GROUP BY 1, 2, 3, 4, 5, 6, 7
HAVING sum(sign) <> 0
