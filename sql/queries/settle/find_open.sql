-- grain:  one row: an open run by id
-- params: run_id
SELECT
    o.run_id, o.programme_id, o.through_on, o.backfill, o.pro_rata, o.cutoff_no, o.fiscal_year, o.drafted_by,
    o.policies, encode(o.lines_sha256, 'hex') AS digest, o.lines
FROM open_run AS o
WHERE o.run_id = CAST(:run_id AS bigint) AND NOT o.submitted
