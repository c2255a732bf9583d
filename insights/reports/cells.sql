-- Which cells a set of stays ({stays}, with a column `sign` of 1 or -1) adds up to. Each measure
-- keeps only the detail that its figures need:
--   step   stays by week of the month (from the 1st, 8th, 15th or 22nd on), how they ended, and the first of the windows on offer they took longer
--          than ({windows}: their codes, rising); -1 while open, -2 where nobody knows
--   time   timed stays of the funnel by exact duration; open ones by the day they began on,
--          for their age grows
--   reach  first stays in a stage by the week the lead became known in, by window like steps.
--          Where the date is unknown, twice: in the window by which the lead was there at the
--          latest (exit_kind 'until') and at the earliest ('after')
-- What began on an unknown day stands on {unknown_day}, a day that no period includes.
SELECT
    slice, counted.measure, counted.began_on, stage, counted.exit_kind, counted.elapsed,
    sum(sign)::int AS stay_count
FROM {stays} AS stay
CROSS JOIN LATERAL (VALUES
    ('all'),
    ('channel:' || channel),
    ('source:' || source),
    ('country:' || country),
    ('owner:' || coalesce(owner_id::text, '')),
    -- Managers see what their people own, and what is their team's and owned by others or nobody.
    ('team:' || team_id || ':' || coalesce(owner_id::text, ''))
) AS slices (slice)
CROSS JOIN LATERAL (
    SELECT
        'step' AS measure,
        coalesce(
            date_trunc('month', entered_on::timestamp)::date
                + 7 * least((extract(day FROM entered_on)::int - 1) / 7, 3),
            {unknown_day}
        ) AS began_on,
        stay.exit_kind,
        CASE WHEN stay.elapsed < 0 THEN stay.elapsed
             ELSE (ARRAY[0, {windows}])[1 + width_bucket(stay.elapsed, ARRAY[{windows}])]
        END AS elapsed
    UNION ALL
    SELECT
        'time',
        CASE WHEN stay.elapsed < 0 THEN entered_on
             ELSE date_trunc('month', entered_on::timestamp)::date END,
        '', stay.elapsed
    WHERE is_timed AND stage = ANY(ARRAY[{funnel}])
    UNION ALL
    SELECT
        'reach',
        coalesce(
            date_trunc('month', captured_on::timestamp)::date
                + 7 * least((extract(day FROM captured_on)::int - 1) / 7, 3),
            {unknown_day}
        ),
        reach.bound, (ARRAY[0, {windows}])[1 + width_bucket(reach.elapsed, ARRAY[{windows}])]
    FROM (VALUES
        (CASE WHEN reached_after IS NULL THEN '' ELSE 'until' END, reached_elapsed),
        ('after', reached_after)
    ) AS reach (bound, elapsed)
    WHERE reach.elapsed IS NOT NULL
) AS counted
WHERE slice IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6
HAVING sum(sign) <> 0
