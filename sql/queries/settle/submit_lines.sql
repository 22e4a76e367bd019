-- grain:  inserts the lines of one run from its draft
-- params: run_id
INSERT INTO run_line (
    company_id, run_id, line_no, cap_year, kind, invoice_id, accepted_no, basis_fen, computed_fen, overlap_cut_fen,
    granted_fen, withheld_fen, budget_cut_fen, policy_ids, reasons
)
SELECT
    l.company_id, l.run_id, l.line_no, l.cap_year, l.kind, l.invoice_id, l.accepted_no, l.basis_fen, l.computed_fen,
    l.overlap_cut_fen, l.granted_fen, l.withheld_fen, l.budget_cut_fen, l.policy_ids, l.reasons
FROM draft_line AS l
WHERE l.run_id = CAST(:run_id AS bigint)
ORDER BY l.line_no
