-- grain:  one row per line of the document of an invoice that counted at the cutoff, in order
-- params: company_id, invoice_id, cutoff (seal number)
WITH better AS (
    SELECT e.company_id, e.invoice_id, e.act_id, e.kind
    FROM evidence_at(CAST(:cutoff AS bigint)) AS e
    WHERE
        e.company_id = CAST(:company_id AS bigint) AND e.invoice_id = CAST(:invoice_id AS bigint)
        AND e.kind IS NOT NULL
),

line AS (
    SELECT
        l.line_no, l.tax_code, l.item, l.spec, l.unit, l.usage_qty, l.net_fen, l.rate_bp, l.tax_fen, l.gross_fen,
        l.paid_fen, l.remark, l.sheet, l.row_no, l.upload_id
    FROM invoice_line AS l
    WHERE
        l.company_id = CAST(:company_id AS bigint) AND l.invoice_id = CAST(:invoice_id AS bigint)
        AND NOT EXISTS (SELECT FROM better)
    UNION ALL
    SELECT
        l.line_no, l.tax_code, l.item, l.spec, l.unit, l.usage_qty, l.net_fen, l.rate_bp, l.tax_fen, l.gross_fen,
        NULL, l.remark, l.sheet, l.row_no, e.upload_id
    FROM better AS b
    INNER JOIN evidence AS e
        ON e.company_id = b.company_id AND e.invoice_id = b.invoice_id AND e.act_id = b.act_id AND e.kind = b.kind
    INNER JOIN evidence_line AS l
        ON l.company_id = e.company_id AND l.invoice_id = e.invoice_id AND l.act_id = e.act_id AND l.kind = e.kind
)

SELECT l.*, u.file_name
FROM line AS l
INNER JOIN upload AS u ON u.upload_id = l.upload_id
ORDER BY l.line_no
