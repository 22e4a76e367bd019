-- grain:  one row: a run's disclosure, if it was on record at the cutoff
-- params: run_id, cutoff (seal number)
SELECT d.run_id, d.from_on, d.until_on, d.working_days, d.act_id
FROM disclosure AS d
INNER JOIN seal AS s ON s.act_id = d.act_id AND s.no <= CAST(:cutoff AS bigint)
WHERE d.run_id = CAST(:run_id AS bigint)
