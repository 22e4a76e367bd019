-- grain:  one row: the cutoff of the first run approved by a seal number that has a line of the invoice, or null
-- params: company_id, invoice_id, cutoff (seal number)
SELECT min(r.cutoff_no) AS cutoff_no
FROM run_line AS l
INNER JOIN run AS r ON r.run_id = l.run_id
INNER JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'
INNER JOIN seal AS s ON s.act_id = d.act_id
WHERE
    s.no <= CAST(:cutoff AS bigint)
    AND l.company_id = CAST(:company_id AS bigint) AND l.invoice_id = CAST(:invoice_id AS bigint)
