-- grain:  one row: whether the companies to look at are few; from here on the planner may then look their rows up one
--         by one
-- params: none (reads touched)
SELECT set_config('enable_nestloop', CASE WHEN f.few THEN 'on' ELSE 'off' END, TRUE), f.few
FROM (
    SELECT (SELECT count(*) FROM touched) * 20 < (SELECT count(*) FROM party) AS few
) AS f
