-- grain:  one row per settlement line of an invoice in a run submitted by the cutoff, in order
-- params: company_id, invoice_id, cutoff (seal number)
SELECT
    l.run_id, coalesce(d.verdict, 'submitted') AS state, l.cap_year, l.kind, l.basis_fen, l.computed_fen, l.granted_fen,
    l.withheld_fen
FROM run_line AS l
INNER JOIN run AS r ON r.run_id = l.run_id
INNER JOIN seal AS s ON s.act_id = r.proposal_act_id AND s.no <= CAST(:cutoff AS bigint)
LEFT JOIN decision_at(CAST(:cutoff AS bigint)) AS d ON d.proposal_act_id = r.proposal_act_id
WHERE l.company_id = CAST(:company_id AS bigint) AND l.invoice_id = CAST(:invoice_id AS bigint)
ORDER BY l.run_id, l.cap_year
