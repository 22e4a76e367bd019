-- grain:  inserts the lines of further documents that have tax codes, numbered in the order of the document
-- params: none (reads further)
INSERT INTO evidence_line (
    company_id, invoice_id, act_id, kind, line_no, tax_code, item, spec, unit, usage_qty, net_fen, rate_bp, tax_fen,
    gross_fen, remark, sheet, row_no
)
SELECT
    f.company_id, f.invoice_id, e.act_id, f.kind,
    row_number() OVER (PARTITION BY f.company_id, f.invoice_id, f.kind ORDER BY f.sheet COLLATE "C", f.row_no),
    f.tax_code, coalesce(f.item, ''), coalesce(f.spec, ''), coalesce(f.unit, ''), f.usage_qty, f.net_fen, f.rate_bp,
    f.tax_fen, f.gross_fen, coalesce(f.remark, ''), f.sheet, f.row_no
FROM further AS f
INNER JOIN evidence AS e
    ON e.company_id = f.company_id AND e.invoice_id = f.invoice_id AND e.kind = f.kind
    AND e.act_id = f.act_id
WHERE e.has_lines
