-- grain:  one row: the business day on which a run was approved
-- params: run_id
SELECT a.effective_on
FROM run AS r
INNER JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'
INNER JOIN act AS a ON a.act_id = d.act_id
WHERE r.run_id = CAST(:run_id AS bigint)
