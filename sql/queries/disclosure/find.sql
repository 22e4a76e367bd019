-- grain:  one row: a run's disclosure
-- params: run_id
SELECT d.run_id, d.from_on, d.until_on, d.working_days, d.act_id
FROM disclosure AS d
WHERE d.run_id = CAST(:run_id AS bigint)
