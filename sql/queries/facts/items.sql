-- grain:  one row per line of an invoice and of the red-letters that reverse it, in order of acceptance
-- params: number, cutoff (seal number)
WITH better AS (
    SELECT e.company_id, e.invoice_id, e.act_id, e.kind FROM evidence_at(CAST(:cutoff AS bigint)) AS e
),

-- the lines of the best document of each invoice
best AS NOT MATERIALIZED (
    SELECT l.company_id, l.invoice_id, l.line_no, l.tax_code, l.item, l.net_fen
    FROM invoice_line AS l
    WHERE NOT EXISTS (
        SELECT FROM better AS v
        WHERE v.company_id = l.company_id AND v.invoice_id = l.invoice_id AND v.kind IS NOT NULL
    )
    UNION ALL
    SELECT e.company_id, e.invoice_id, e.line_no, e.tax_code, e.item, e.net_fen
    FROM better AS v
    INNER JOIN evidence_line AS e
        ON e.company_id = v.company_id AND e.invoice_id = v.invoice_id AND e.act_id = v.act_id AND e.kind = v.kind
)

SELECT
    i.number AS invoice_number, i.kind, s.accepted_before + i.place AS accepted_no, l.line_no, l.tax_code, l.item,
    l.net_fen
FROM invoice AS i
INNER JOIN seal AS s ON s.act_id = i.act_id
INNER JOIN best AS l ON l.company_id = i.company_id AND l.invoice_id = i.invoice_id
WHERE
    s.no <= CAST(:cutoff AS bigint)
    AND (
        (i.kind = 'red' AND i.original_number = :number)
        OR (i.company_id, i.invoice_id) = (
            SELECT n.company_id, n.invoice_id FROM invoice_number AS n WHERE n.number = :number
        )
    )
ORDER BY s.accepted_before + i.place, l.line_no
