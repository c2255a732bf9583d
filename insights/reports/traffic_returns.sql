-- Visits by the day of the visit before, for all and for each channel by itself.
INSERT INTO insights_returncell (day, is_machine, channel, previous_on, visits)
SELECT
    visit.day, visit.is_machine, slice.channel,
    coalesce((slice.previous_at AT TIME ZONE %(zone)s)::date, '0001-01-01'), count(*)
FROM ({visits}) AS visit
CROSS JOIN LATERAL (
    SELECT '' AS channel, visit.previous_at
    UNION ALL
    SELECT visit.channel, (
        SELECT max(other.started_at) FROM tracking_visit AS other
        WHERE other.anonymous_id = visit.anonymous_id AND other.is_machine = visit.is_machine
          AND other.channel = visit.channel AND (other.started_at, other.id) < (visit.started_at, visit.id)
    )
) AS slice
GROUP BY 1, 2, 3, 4
