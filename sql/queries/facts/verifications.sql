-- grain:  one row per row of the verifications register written by the cutoff, in order of writing, of known invoices
-- params: cutoff (seal number), first_id, last_id (companies, inclusive)
SELECT v.invoice_number, v.checked_on, v.result = 'same' AS passed, s.no, v.row_no
FROM verification AS v
INNER JOIN seal AS s ON s.act_id = v.act_id
INNER JOIN invoice_number AS n ON n.number = v.invoice_number
WHERE s.no <= CAST(:cutoff AS bigint) AND n.company_id BETWEEN CAST(:first_id AS bigint) AND CAST(:last_id AS bigint)
ORDER BY s.no, v.row_no
