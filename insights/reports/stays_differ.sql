-- How many stays are not what their episodes say, and the lead of one of them. Leads whose
-- change waits to be folded in are left out.
WITH known AS MATERIALIZED ({known}), fresh AS MATERIALIZED ({fresh})
SELECT count(*), min(lead_id)
FROM (
    (SELECT * FROM known EXCEPT SELECT * FROM fresh)
    UNION ALL
    (SELECT * FROM fresh EXCEPT SELECT * FROM known)
) AS different
WHERE lead_id NOT IN (SELECT lead_id FROM insights_stalelead)
