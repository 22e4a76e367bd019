-- grain:  updates one open run: it is submitted and cannot be drafted again
-- params: run_id
UPDATE open_run AS o SET submitted = TRUE WHERE o.run_id = CAST(:run_id AS bigint)
