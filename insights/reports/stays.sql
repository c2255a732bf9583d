-- Every episode as the figures see it: the rows that insights_stay must hold.
-- {leads} limits it to some leads. Parameter: zone, the reporting time zone.
--
-- elapsed: whole hours below 72, then 69 + whole days (insights/rules.py), -1 while open.
-- is_timed: a pass-through takes no time, and where the instant of either end is only a
-- bound the duration is not a fact.
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
    (entered_at AT TIME ZONE %(zone)s)::date AS entered_on,
    left_at, exit_kind,
    CASE
        WHEN left_at IS NULL THEN -1
        WHEN hours < 72 THEN hours
        ELSE least(69 + hours / 24, 32000)
    END::smallint AS elapsed,
    NOT (is_pass_through OR is_date_unknown OR is_end_unknown) AS is_timed,
    (captured_at AT TIME ZONE %(zone)s)::date AS captured_on,
    CASE
        WHEN nth > 1 THEN NULL
        WHEN hours_to_reach < 72 THEN hours_to_reach
        ELSE least(69 + hours_to_reach / 24, 32000)
    END::smallint AS reached_elapsed,
    channel, source, country, owner_id
FROM (
    SELECT
        episode.lead_id, episode.seq, episode.cycle, episode.stage, episode.entered_at,
        ending.left_at, ending.exit_kind, episode.is_pass_through, episode.is_date_unknown,
        coalesce(lead(episode.is_date_unknown) OVER history, false) AS is_end_unknown,
        first_value(episode.entered_at) OVER history AS captured_at,
        row_number() OVER (
            PARTITION BY episode.lead_id, episode.stage ORDER BY episode.seq
        ) AS nth,
        floor(date_part('epoch', ending.left_at - episode.entered_at) / 3600)::int AS hours,
        floor(date_part('epoch',
            episode.entered_at - first_value(episode.entered_at) OVER history
        ) / 3600)::int AS hours_to_reach,
        person.channel, person.source, person.country, person.owner_id
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
