-- grain:  one row per line of a run approved by the cutoff, in order of approval
-- params: programme, cutoff (seal number), first_id, last_id (companies, inclusive)
SELECT l.invoice_id, l.cap_year, l.kind, l.granted_fen, l.withheld_fen, l.budget_cut_fen, l.final
FROM settled_at(CAST(:cutoff AS bigint)) AS l
WHERE l.programme_id = :programme AND l.company_id BETWEEN CAST(:first_id AS bigint) AND CAST(:last_id AS bigint)
ORDER BY l.no, l.line_no
