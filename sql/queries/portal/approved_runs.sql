-- grain:  one row per approved run, newest first: its disclosure, open objections and batches
-- params: today
SELECT
    r.run_id, r.through_on, r.lines, d.decided_by AS checker, s.recorded_at AS approved_at, c.from_on, c.until_on,
    coalesce(c.until_on < CAST(:today AS date), FALSE) AS over,
    (
        SELECT count(*) FROM objection AS o
        WHERE
            o.run_id = r.run_id
            AND NOT EXISTS (
                SELECT FROM move AS m
                WHERE m.noun = 'objection' AND m.subject_id = o.act_id AND m.to_state = 'released'
            )
    ) AS objections,
    (SELECT count(*) FROM payment_batch AS b WHERE b.run_id = r.run_id) AS batches,
    CAST(coalesce((
        SELECT sum(l.granted_fen) FROM run_line AS l WHERE l.run_id = r.run_id AND l.kind <> 'recovery'
    ), 0) AS bigint) AS granted_fen
FROM run AS r
INNER JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'
INNER JOIN seal AS s ON s.act_id = d.act_id
LEFT JOIN disclosure AS c ON c.run_id = r.run_id
ORDER BY r.run_id DESC
