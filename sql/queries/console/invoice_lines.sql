-- grain:  one row per line of an invoice, in order
-- params: company_id, invoice_id
SELECT
    l.line_no, l.tax_code, l.item, l.spec, l.unit, l.usage_qty, l.net_fen, l.rate_bp, l.tax_fen, l.gross_fen,
    l.paid_fen, l.remark, u.file_name, l.sheet, l.row_no, l.upload_id
FROM invoice_line AS l
INNER JOIN upload AS u ON u.upload_id = l.upload_id
WHERE l.company_id = CAST(:company_id AS bigint) AND l.invoice_id = CAST(:invoice_id AS bigint)
ORDER BY l.line_no
