-- grain:  one row: the cutoff of the first run approved by a seal number that has a line of the invoice, or null
-- params: company_id, invoice_id, cutoff (seal number)
SELECT min(r.cutoff_no) AS cutoff_no
FROM run_line AS l
INNER JOIN run AS r ON r.run_id = l.run_id
INNER JOIN approved_at(CAST(:cutoff AS bigint)) AS a ON a.run_id = l.run_id
WHERE l.company_id = CAST(:company_id AS bigint) AND l.invoice_id = CAST(:invoice_id AS bigint)
