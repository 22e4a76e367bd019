-- grain:  one row per slot of a job that was attempted, in order
-- params: job
SELECT j.slot, j.state, j.attempts FROM job_slot AS j WHERE j.job = :job ORDER BY j.slot
