-- grain:  one row per row of the subsidies register written by the cutoff, in order of writing, of known invoices
-- params: cutoff (seal number), first_id, last_id (companies, inclusive)
SELECT u.invoice_number, u.policy_name, u.amount_fen, u.waived, s.no, u.row_no
FROM subsidy AS u
INNER JOIN seal AS s ON s.act_id = u.act_id
INNER JOIN invoice_number AS n ON n.number = u.invoice_number
WHERE s.no <= CAST(:cutoff AS bigint) AND n.company_id BETWEEN CAST(:first_id AS bigint) AND CAST(:last_id AS bigint)
ORDER BY s.no, u.row_no
