-- Every episode as the figures see it: the rows that insights_stay must hold.
-- {leads} limits it to some leads. Parameter: zone, the reporting time zone.
--
-- elapsed: whole hours below 72, then 69 + whole days (insights/rules.py), -1 while open.
-- Where an import knew no date, the instant of an episode is only a bound, and no fact follows
-- from it: the day is null, and so is the end; a duration between such ends is -2.
-- is_timed: a pass-through takes no time, and an unknown duration is none.
-- reached_elapsed: the lead had come to the stage by then at the latest (the first known date
-- from there on), reached_after: and, if the date is unknown, at the earliest.
--
-- A merge that was taken apart is as if it had never been: the stay that it interrupted goes
-- on to its real end, and neither the merge nor the return is a stay of its own.
WITH resumed AS MATERIALIZED (
    SELECT
        episode.lead_id, episode.left_at, episode.exit_kind,
        (
            SELECT max(began.seq) FROM leads_stageepisode AS began
            WHERE began.lead_id = episode.lead_id AND began.seq < episode.seq
                AND began.entry_kind NOT IN ('merged', 'restored')
        ) AS seq
    FROM leads_stageepisode AS episode
    WHERE episode.entry_kind = 'restored' AND episode.exit_kind <> 'merged' {leads}
)
SELECT
    lead_id, seq, cycle, stage, entered_at,
    CASE WHEN NOT is_date_unknown THEN (entered_at AT TIME ZONE %(zone)s)::date END AS entered_on,
    CASE WHEN NOT is_end_unknown THEN left_at END AS left_at, exit_kind,
    CASE
        WHEN left_at IS NULL THEN -1
        WHEN is_date_unknown OR is_end_unknown THEN -2
        WHEN hours < 72 THEN hours
        ELSE least(69 + hours / 24, 32000)
    END::smallint AS elapsed,
    NOT (is_pass_through OR is_date_unknown OR is_end_unknown) AS is_timed,
    CASE WHEN is_captured_known THEN (captured_at AT TIME ZONE %(zone)s)::date END AS captured_on,
    CASE
        WHEN nth > 1 THEN NULL
        WHEN hours_to_reach < 72 AND is_captured_known THEN hours_to_reach
        WHEN is_captured_known THEN least(69 + hours_to_reach / 24, 32000)
        ELSE 32000
    END::smallint AS reached_elapsed,
    CASE
        WHEN nth > 1 OR NOT is_date_unknown OR NOT is_captured_known THEN NULL
        WHEN hours_at_least < 72 THEN hours_at_least
        ELSE least(69 + hours_at_least / 24, 32000)
    END::smallint AS reached_after,
    channel, source, country, owner_id, team_id
FROM (
    SELECT
        episode.lead_id, episode.seq, episode.cycle, episode.stage, episode.entered_at,
        ending.left_at, ending.exit_kind, episode.is_pass_through, episode.is_date_unknown,
        coalesce(lead(episode.is_date_unknown) OVER history, false) AS is_end_unknown,
        first_value(episode.entered_at) OVER history AS captured_at,
        NOT first_value(episode.is_date_unknown) OVER history AS is_captured_known,
        row_number() OVER (
            PARTITION BY episode.lead_id, episode.stage ORDER BY episode.seq
        ) AS nth,
        floor(date_part('epoch', ending.left_at - episode.entered_at) / 3600)::int AS hours,
        -- From here on the first known date, up to here the last one; a day never known is
        -- later than all windows.
        floor(date_part('epoch', coalesce(
            min(episode.entered_at) FILTER (WHERE NOT episode.is_date_unknown) OVER (
                history ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
            ) - first_value(episode.entered_at) OVER history,
            interval '32000 days'
        )) / 3600)::int AS hours_to_reach,
        floor(date_part('epoch',
            max(episode.entered_at) FILTER (WHERE NOT episode.is_date_unknown) OVER (
                history ROWS UNBOUNDED PRECEDING
            ) - first_value(episode.entered_at) OVER history
        ) / 3600)::int AS hours_at_least,
        person.channel, person.source, person.country, person.owner_id,
        person.team_id
    FROM leads_stageepisode AS episode
    JOIN leads_lead AS person ON person.id = episode.lead_id
    LEFT JOIN resumed ON resumed.lead_id = episode.lead_id AND resumed.seq = episode.seq
    CROSS JOIN LATERAL (
        SELECT
            CASE WHEN resumed.seq IS NULL THEN episode.left_at ELSE resumed.left_at END AS left_at,
            CASE WHEN resumed.seq IS NULL THEN episode.exit_kind ELSE resumed.exit_kind END
                AS exit_kind
    ) AS ending
    WHERE person.stage <> 'merged' AND episode.entry_kind NOT IN ('merged', 'restored') {leads}
    WINDOW history AS (PARTITION BY episode.lead_id ORDER BY episode.seq)
) AS episodes
