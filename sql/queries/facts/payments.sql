-- grain:  one row per row of the payments register written by the cutoff, in order of writing, of known invoices
-- params: cutoff (seal number), first_id, last_id (companies, inclusive)
SELECT p.invoice_number, p.paid_on, p.reference, p.amount_fen, s.no, p.row_no
FROM invoice_payment AS p
INNER JOIN seal AS s ON s.act_id = p.act_id
INNER JOIN invoice_number AS n ON n.number = p.invoice_number
WHERE s.no <= CAST(:cutoff AS bigint) AND n.company_id BETWEEN CAST(:first_id AS bigint) AND CAST(:last_id AS bigint)
ORDER BY s.no, p.row_no
