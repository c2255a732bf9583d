-- How many leads each slice of one dimension holds, counted at their first stay.
SELECT
    split_part(slice, ':', 1) AS dimension,
    substr(slice, strpos(slice, ':') + 1) AS value,
    sum(stay_count)::int AS lead_count
FROM insights_cell
WHERE measure = 'reach' AND stage = 'lead' AND split_part(slice, ':', 1) NOT IN ('all', 'team')
GROUP BY slice
