-- grain:  one row per line of a run, in order
-- params: run_id
SELECT
    i.number AS invoice_number, c.uscc AS company, p.uscc AS provider, l.cap_year, l.kind, l.accepted_no, l.basis_fen,
    l.computed_fen, l.overlap_cut_fen, l.granted_fen, l.withheld_fen, l.budget_cut_fen, l.policy_ids, l.reasons
FROM draft_line AS l
INNER JOIN invoice AS i ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id
INNER JOIN party AS c ON c.party_id = l.company_id
INNER JOIN party AS p ON p.party_id = i.provider_id
WHERE l.run_id = CAST(:run_id AS bigint)
ORDER BY l.line_no
