-- grain:  inserts the lines of the accepted invoices, numbered by row (and sheet)
-- params: none (reads stage, several, judged)
INSERT INTO invoice_line (
    company_id, invoice_id, line_no, tax_code, item, spec, unit, usage_qty, net_fen, rate_bp, tax_fen, gross_fen,
    paid_fen, remark, sheet, row_no, upload_id
)
SELECT
    j.company_id, j.invoice_id, s.line_no, s.tax_code, coalesce(s.item, ''), coalesce(s.spec, ''),
    coalesce(s.unit, ''), s.usage_qty, s.net_fen, s.rate_bp, s.tax_fen, s.gross_fen, s.paid_fen,
    coalesce(s.remark, ''), s.sheet, s.row_no,
    CASE WHEN s.held_upload_id > 0 THEN s.held_upload_id ELSE s.upload_id END
FROM (
    SELECT a.*, 1 AS line_no
    FROM stage AS a
    WHERE NOT EXISTS (
        SELECT FROM several AS v
        WHERE v.invoice_number = a.invoice_number AND v.held_upload_id = a.held_upload_id
    )
    UNION ALL
    SELECT b.*, row_number() OVER (
        PARTITION BY b.invoice_number, b.held_upload_id ORDER BY b.row_no, b.sheet COLLATE "C"
    )
    FROM stage AS b
    INNER JOIN several AS v ON v.invoice_number = b.invoice_number AND v.held_upload_id = b.held_upload_id
) AS s
INNER JOIN judged AS j ON j.number = s.invoice_number AND j.held_upload_id = s.held_upload_id
WHERE j.outcome = 'accepted'
