-- grain:  one row: how many batches a run has had, and the one that waits for a decision, if any
-- params: run_id
SELECT count(*) AS batches, max(b.batch_id) FILTER (WHERE d.act_id IS NULL) AS waiting
FROM payment_batch AS b
LEFT JOIN decision AS d ON d.proposal_act_id = b.batch_id
WHERE b.run_id = CAST(:run_id AS bigint)
