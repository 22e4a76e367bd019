-- grain:  one row when the red-letters of an invoice, or of the blue that it reverses, come to more than the blue
-- params: number
WITH blue AS (
    SELECT CASE WHEN i.kind = 'red' THEN i.original_number ELSE i.number END AS number
    FROM invoice AS i
    INNER JOIN invoice_number AS n ON n.company_id = i.company_id AND n.invoice_id = i.invoice_id
    WHERE n.number = :number
),

part AS (
    SELECT n.company_id, n.invoice_id
    FROM blue AS b
    INNER JOIN invoice_number AS n ON n.number = b.number
    UNION ALL
    SELECT i.company_id, i.invoice_id
    FROM blue AS b
    INNER JOIN invoice AS i ON i.original_number = b.number AND i.kind = 'red'
)

SELECT CAST(sum(m.gross_fen) AS bigint) AS gross_fen
FROM part AS p
INNER JOIN invoice_money AS m ON m.company_id = p.company_id AND m.invoice_id = p.invoice_id
HAVING sum(m.net_fen) < 0 OR sum(m.tax_fen) < 0 OR sum(m.gross_fen) < 0
