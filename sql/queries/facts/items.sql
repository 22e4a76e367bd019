-- grain:  one row per line of an invoice and of the red-letters that reverse it, in order of acceptance
-- params: number, cutoff (seal number)
SELECT
    i.number AS invoice_number, i.kind, s.accepted_before + i.place AS accepted_no, l.line_no, l.tax_code, l.item,
    l.net_fen
FROM invoice AS i
INNER JOIN seal AS s ON s.act_id = i.act_id
INNER JOIN invoice_line AS l ON l.company_id = i.company_id AND l.invoice_id = i.invoice_id
WHERE
    s.no <= CAST(:cutoff AS bigint)
    AND (
        (i.kind = 'red' AND i.original_number = :number)
        OR (i.company_id, i.invoice_id) = (
            SELECT n.company_id, n.invoice_id FROM invoice_number AS n WHERE n.number = :number
        )
    )
ORDER BY s.accepted_before + i.place, l.line_no
