-- grain:  one row per run approved by the cutoff, newest first: its disclosure, open objections and batches then
-- params: today, cutoff (seal number)
SELECT
    r.run_id, r.through_on, r.lines, d.decided_by AS checker, s.recorded_at AS approved_at, c.from_on, c.until_on,
    coalesce(c.until_on < CAST(:today AS date), FALSE) AS over,
    (
        SELECT count(*) FROM objection AS o
        INNER JOIN state_at('objection', CAST(:cutoff AS bigint)) AS t ON t.subject_id = o.act_id
        WHERE o.run_id = r.run_id AND t.state = 'open'
    ) AS objections,
    (
        SELECT count(*) FROM payment_batch AS b
        INNER JOIN seal AS bs ON bs.act_id = b.act_id AND bs.no <= CAST(:cutoff AS bigint)
        WHERE b.run_id = r.run_id
    ) AS batches,
    CAST(coalesce(g.fen, 0) AS bigint) AS granted_fen
FROM run AS r
INNER JOIN decision_at(CAST(:cutoff AS bigint)) AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'
INNER JOIN seal AS s ON s.act_id = d.act_id
LEFT JOIN (disclosure AS c INNER JOIN seal AS cs ON cs.act_id = c.act_id AND cs.no <= CAST(:cutoff AS bigint))
    ON c.run_id = r.run_id
LEFT JOIN (
    SELECT l.run_id, sum(l.granted_fen) AS fen FROM run_line AS l WHERE l.kind <> 'recovery' GROUP BY l.run_id
) AS g ON g.run_id = r.run_id
ORDER BY r.run_id DESC
