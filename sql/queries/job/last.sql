-- grain:  one row per job that was ever attempted: its last slot, when it last went well, and the slots that failed
-- params: none
SELECT DISTINCT ON (j.job)
    j.job, j.slot, j.state, j.attempts, j.started_at, j.ended_at, j.output,
    (
        SELECT array_agg(f.slot ORDER BY f.slot) FROM job_slot AS f WHERE f.job = j.job AND f.state = 'failed'
    ) AS failed,
    (SELECT max(d.slot) FROM job_slot AS d WHERE d.job = j.job AND d.state = 'done') AS last_done
FROM job_slot AS j
ORDER BY j.job, j.slot DESC
