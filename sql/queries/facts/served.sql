-- grain:  one row per line of a run approved by the cutoff, in order of approval
-- params: programme, cutoff (seal number), first_id, last_id (companies, inclusive)
SELECT
    l.invoice_id, l.cap_year, l.kind, l.granted_fen, l.withheld_fen, l.budget_cut_fen, r.pro_rata AS final
FROM run_line AS l
INNER JOIN run AS r ON r.run_id = l.run_id
INNER JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'
INNER JOIN seal AS s ON s.act_id = d.act_id
WHERE
    s.no <= CAST(:cutoff AS bigint) AND r.programme_id = :programme
    AND l.company_id BETWEEN CAST(:first_id AS bigint) AND CAST(:last_id AS bigint)
ORDER BY s.no, l.line_no
