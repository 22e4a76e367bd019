-- grain:  one row: a submitted run by id, with what became of it
-- params: run_id, cutoff (seal number: as it stood then; null for now)
SELECT
    r.run_id, r.programme_id, r.through_on, r.backfill, r.pro_rata, r.cutoff_no, r.fiscal_year, r.drafted_by,
    r.policies, encode(r.lines_sha256, 'hex') AS digest, r.lines, r.proposal_act_id,
    coalesce(d.verdict, 'submitted') AS state, p.maker,
    CASE WHEN d.verdict <> 'withdrawn' THEN d.decided_by END AS checker
FROM run AS r
INNER JOIN proposal AS p ON p.act_id = r.proposal_act_id
LEFT JOIN decision AS d
    ON
        d.proposal_act_id = r.proposal_act_id
        AND NOT EXISTS (SELECT FROM seal AS s WHERE s.act_id = d.act_id AND s.no > CAST(:cutoff AS bigint))
WHERE
    r.run_id = CAST(:run_id AS bigint)
    AND NOT EXISTS (SELECT FROM seal AS s WHERE s.act_id = r.proposal_act_id AND s.no > CAST(:cutoff AS bigint))
