-- How many cells are not the sum of their stays, and the slice of one of them.
WITH fresh AS MATERIALIZED ({cells}), known AS MATERIALIZED (
    SELECT slice, measure, began_on, stage, exit_kind, elapsed, stay_count
    FROM insights_cell WHERE stay_count <> 0
)
SELECT count(*), min(slice)
FROM (
    (SELECT * FROM known EXCEPT SELECT * FROM fresh)
    UNION ALL
    (SELECT * FROM fresh EXCEPT SELECT * FROM known)
) AS different
