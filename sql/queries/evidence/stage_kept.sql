-- grain:  inserts into stage the waiting rows of the document that a person decided for
-- params: number, upload_id, kind, act_id
INSERT INTO stage (
    upload_id, sheet, row_no, raw, digest,
    invoice_number, invoice_kind, issued_on, provider_uscc, provider_name, company_uscc,
    company_name, contract_no, service_from, service_until, tax_code, item, spec, unit, usage_qty, net_fen, rate_bp,
    tax_fen, gross_fen, paid_fen, original_number, remark, has_error, held_upload_id
)
SELECT
    CAST(:act_id AS bigint),
    h.sheet, h.row_no, '', h.digest, h.invoice_number, h.invoice_kind, c.issued_on, c.provider_uscc, c.provider_name,
    c.company_uscc, c.company_name, c.contract_no, c.service_from, c.service_until, c.tax_code, c.item, c.spec, c.unit,
    c.usage_qty, c.net_fen, c.rate_bp, c.tax_fen, c.gross_fen, c.paid_fen, c.original_number, c.remark, FALSE,
    h.upload_id
FROM held_row AS h
CROSS JOIN LATERAL jsonb_to_record(h.content) AS c (
    issued_on date, provider_uscc text, provider_name text, company_uscc text, company_name text, contract_no text,
    service_from date, service_until date, tax_code text, item text, spec text, unit text, usage_qty numeric,
    net_fen bigint, rate_bp integer, tax_fen bigint, gross_fen bigint, paid_fen bigint, original_number text,
    remark text
)
WHERE h.invoice_number = :number AND h.upload_id = CAST(:upload_id AS bigint) AND h.evidence = :kind
