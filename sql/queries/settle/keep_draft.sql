-- grain:  inserts the open run of a programme
-- params: programme_id, run_id, through_on, backfill, pro_rata, cutoff_no, fiscal_year, drafted_by, policies,
--         lines_sha256 (hex), lines
INSERT INTO open_run (
    programme_id, run_id, through_on, backfill, pro_rata, cutoff_no, fiscal_year, drafted_by, policies, lines_sha256,
    lines
)
VALUES (
    :programme_id, :run_id, :through_on, :backfill, :pro_rata, :cutoff_no, :fiscal_year, :drafted_by, :policies,
    decode(:lines_sha256, 'hex'), :lines
)
