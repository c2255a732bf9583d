-- Bring the roll-ups along for the leads of parameter `leads`: one statement, one snapshot.
-- What did not change cancels out before it touches a cell.
WITH fresh AS MATERIALIZED (
    {fresh}
), known AS MATERIALIZED (
    SELECT * FROM insights_stay WHERE lead_id = ANY(%(leads)s)
), changes AS (
    SELECT *, 1 AS sign FROM fresh
    UNION ALL
    SELECT {columns}, -1 FROM known
), gone AS (
    DELETE FROM insights_stay AS stay USING known
    WHERE stay.lead_id = known.lead_id AND stay.seq = known.seq
      AND NOT EXISTS (
          SELECT FROM fresh WHERE fresh.lead_id = known.lead_id AND fresh.seq = known.seq
      )
), kept AS (
    INSERT INTO insights_stay AS stay ({columns})
    SELECT {columns} FROM fresh
    ON CONFLICT (lead_id, seq) DO UPDATE SET ({changing}) = ROW ({excluded})
    WHERE (stay.*) IS DISTINCT FROM (excluded.*)
)
INSERT INTO insights_cell AS cell (
    slice, measure, began_on, stage, exit_kind, elapsed, stay_count
)
{cells}
ON CONFLICT (slice, measure, began_on, stage, exit_kind, elapsed)
DO UPDATE SET stay_count = cell.stay_count + excluded.stay_count
