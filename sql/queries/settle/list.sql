-- grain:  one row per run: drafts, then submitted ones with what became of them
-- params: cutoff (seal number: submitted runs as they stood then; null for now, with drafts)
SELECT
    o.run_id, o.programme_id, o.through_on, 'draft' AS state, o.drafted_by AS maker, NULL AS checker, o.lines,
    coalesce((SELECT sum(l.granted_fen) FROM draft_line AS l WHERE l.run_id = o.run_id AND l.kind <> 'recovery'), 0)
        AS granted_fen
FROM open_run AS o
WHERE NOT o.submitted AND CAST(:cutoff AS bigint) IS NULL
UNION ALL
SELECT
    r.run_id, r.programme_id, r.through_on, coalesce(d.verdict, 'submitted'), p.maker,
    CASE WHEN d.verdict <> 'withdrawn' THEN d.decided_by END, r.lines,
    coalesce(g.fen, 0)
FROM run AS r
INNER JOIN proposal AS p ON p.act_id = r.proposal_act_id
LEFT JOIN decision AS d
    ON
        d.proposal_act_id = r.proposal_act_id
        AND NOT EXISTS (SELECT FROM seal AS s WHERE s.act_id = d.act_id AND s.no > CAST(:cutoff AS bigint))
LEFT JOIN (
    SELECT l.run_id, sum(l.granted_fen) AS fen FROM run_line AS l WHERE l.kind <> 'recovery' GROUP BY l.run_id
) AS g ON g.run_id = r.run_id
WHERE NOT EXISTS (SELECT FROM seal AS s WHERE s.act_id = r.proposal_act_id AND s.no > CAST(:cutoff AS bigint))
ORDER BY run_id
