-- grain:  one row per line of an invoice and of the red-letters that reverse it, in order of acceptance
-- params: number, cutoff (seal number)
-- Asked invoice by invoice, so that it costs the same however many there are.
WITH wanted AS (
    SELECT n.company_id, n.invoice_id FROM invoice_number AS n WHERE n.number = :number
    UNION
    SELECT i.company_id, i.invoice_id FROM invoice AS i WHERE i.kind = 'red' AND i.original_number = :number
)

SELECT
    i.number AS invoice_number, i.kind, s.accepted_before + i.place AS accepted_no, l.line_no, l.tax_code, l.item,
    l.net_fen
FROM wanted AS w
INNER JOIN invoice AS i ON i.company_id = w.company_id AND i.invoice_id = w.invoice_id
INNER JOIN seal AS s ON s.act_id = i.act_id
LEFT JOIN LATERAL (
    SELECT e.act_id, e.kind
    FROM evidence_at(CAST(:cutoff AS bigint)) AS e
    WHERE e.company_id = w.company_id AND e.invoice_id = w.invoice_id
    ORDER BY e.invoice_id
    LIMIT 1
) AS v ON TRUE
-- the lines of the best document of each invoice
CROSS JOIN LATERAL (
    SELECT x.line_no, x.tax_code, x.item, x.net_fen
    FROM invoice_line AS x
    WHERE x.company_id = w.company_id AND x.invoice_id = w.invoice_id AND v.kind IS NULL
    UNION ALL
    SELECT x.line_no, x.tax_code, x.item, x.net_fen
    FROM evidence_line AS x
    WHERE
        x.company_id = w.company_id AND x.invoice_id = w.invoice_id AND x.act_id = v.act_id AND x.kind = v.kind
) AS l
WHERE s.no <= CAST(:cutoff AS bigint)
ORDER BY s.accepted_before + i.place, l.line_no
