-- grain:  one row per stored line of a run, draft or submitted, in order
-- params: run_id, first_id, last_id (companies, inclusive)
WITH stored AS (
    SELECT
        l.line_no, l.company_id, l.cap_year, l.kind, l.invoice_id, l.accepted_no, l.basis_fen, l.computed_fen,
        l.overlap_cut_fen, l.granted_fen, l.withheld_fen, l.budget_cut_fen, l.policy_ids, l.reasons
    FROM run_line AS l
    WHERE
        l.run_id = CAST(:run_id AS bigint)
        AND l.company_id BETWEEN CAST(:first_id AS bigint) AND CAST(:last_id AS bigint)
    UNION ALL
    SELECT
        l.line_no, l.company_id, l.cap_year, l.kind, l.invoice_id, l.accepted_no, l.basis_fen, l.computed_fen,
        l.overlap_cut_fen, l.granted_fen, l.withheld_fen, l.budget_cut_fen, l.policy_ids, l.reasons
    FROM draft_line AS l
    WHERE
        l.run_id = CAST(:run_id AS bigint)
        AND l.company_id BETWEEN CAST(:first_id AS bigint) AND CAST(:last_id AS bigint)
)

SELECT s.*, i.number AS invoice_number
FROM stored AS s
INNER JOIN invoice AS i ON i.company_id = s.company_id AND i.invoice_id = s.invoice_id
ORDER BY s.line_no
