-- grain:  inserts one run from its draft
-- params: run_id, act_id
INSERT INTO run (
    run_id, programme_id, through_on, backfill, pro_rata, cutoff_no, fiscal_year, drafted_by, policies, lines_sha256,
    lines, proposal_act_id, act_id
)
SELECT
    o.run_id, o.programme_id, o.through_on, o.backfill, o.pro_rata, o.cutoff_no, o.fiscal_year, o.drafted_by,
    o.policies, o.lines_sha256, o.lines, CAST(:act_id AS bigint), CAST(:act_id AS bigint)
FROM open_run AS o
WHERE o.run_id = CAST(:run_id AS bigint)
