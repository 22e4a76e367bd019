-- grain:  temporary table further, one row per row of the document that a person decided for
-- params: number, upload_id, kind, act_id
CREATE TEMPORARY TABLE further ON COMMIT DROP AS
SELECT
    n.company_id, n.invoice_id, h.evidence AS kind, h.upload_id, CAST(:act_id AS bigint) AS act_id, h.sheet,
    h.row_no, h.digest,
    c.service_from, c.service_until, c.tax_code, c.item, c.spec, c.unit, c.usage_qty, c.net_fen, c.rate_bp,
    c.tax_fen, c.gross_fen, c.remark, c.contract_no, c.paid_fen
FROM held_row AS h
INNER JOIN invoice_number AS n ON n.number = h.invoice_number
CROSS JOIN LATERAL jsonb_to_record(h.content) AS c (
    service_from date, service_until date, tax_code text, item text, spec text, unit text, usage_qty numeric,
    net_fen bigint, rate_bp integer, tax_fen bigint, gross_fen bigint, remark text,
    contract_no text, paid_fen bigint
)
WHERE h.invoice_number = :number AND h.upload_id = CAST(:upload_id AS bigint) AND h.evidence = :kind
