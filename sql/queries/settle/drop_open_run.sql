-- grain:  deletes one open run
-- params: run_id
DELETE FROM open_run AS o WHERE o.run_id = CAST(:run_id AS bigint)
