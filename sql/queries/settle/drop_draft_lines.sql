-- grain:  deletes the lines of one draft
-- params: run_id
DELETE FROM draft_line AS l WHERE l.run_id = CAST(:run_id AS bigint)
