-- grain:  deletes what one draft listed beside its lines
-- params: run_id
DELETE FROM draft_listed AS l WHERE l.run_id = CAST(:run_id AS bigint)
