-- grain:  inserts one slot, or updates the one that failed before, and inserts the attempt
-- params: job, slot, state, asked_by, started_at, output
WITH written AS (
    INSERT INTO job_slot AS j (job, slot, state, attempts, started_at, ended_at, output)
    VALUES (:job, :slot, :state, 1, :started_at, clock_timestamp(), :output)
    ON CONFLICT (job, slot) DO UPDATE
        SET
            state = excluded.state, attempts = j.attempts + 1, started_at = excluded.started_at,
            ended_at = excluded.ended_at, output = excluded.output
    RETURNING j.job, j.slot, j.attempts, j.state, j.started_at, j.ended_at, j.output
)

INSERT INTO job_attempt (job, slot, attempt, state, asked_by, started_at, ended_at, output)
SELECT w.job, w.slot, w.attempts, w.state, :asked_by, w.started_at, w.ended_at, w.output
FROM written AS w
