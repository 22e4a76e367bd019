-- grain:  one row: how a slot ended, none when it was never attempted; waits: a failed one is not due again yet
-- params: job, slot, pause_minutes
SELECT
    j.state, j.attempts, j.output, j.ended_at,
    j.ended_at > clock_timestamp() - make_interval(mins => CAST(:pause_minutes AS integer)) AS waits
FROM job_slot AS j
WHERE j.job = :job AND j.slot = :slot
