-- The visits of the days in parameter `days`, each with the instant of the visitor's visit before.
SELECT
    day.day, visit.*, before.started_at AS previous_at, before.started_at IS NULL AS is_first
FROM unnest(%(days)s::date[]) AS day (day)
JOIN tracking_visit AS visit
  ON visit.started_at >= day.day::timestamp AT TIME ZONE %(zone)s
 AND visit.started_at < (day.day + 1)::timestamp AT TIME ZONE %(zone)s
LEFT JOIN LATERAL (
    SELECT other.started_at FROM tracking_visit AS other
    WHERE other.anonymous_id = visit.anonymous_id AND other.is_machine = visit.is_machine
      AND (other.started_at, other.id) < (visit.started_at, visit.id)
    ORDER BY other.started_at DESC LIMIT 1
) AS before ON true
