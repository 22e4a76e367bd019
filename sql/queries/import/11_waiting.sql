-- grain:  inserts into stage the held rows that wait for an invoice of these files
-- params: none (reads stage)
-- source: DESIGN 7; a held invoice is accepted by the act that brings what it waited for; of several
--         uploads of the same held invoice the newest counts
INSERT INTO stage (
    upload_id, sheet, row_no, raw, digest,
    invoice_number, invoice_kind, issued_on, provider_uscc, provider_name, company_uscc,
    company_name, contract_no, service_from, service_until, tax_code, item, spec, unit, usage_qty, net_fen, rate_bp,
    tax_fen, gross_fen, paid_fen, original_number, remark, has_error, held_upload_id
)
SELECT
    b.upload_id,
    h.sheet, h.row_no, '', h.digest, h.invoice_number, h.invoice_kind, c.issued_on, c.provider_uscc, c.provider_name,
    c.company_uscc, c.company_name, c.contract_no, c.service_from, c.service_until, c.tax_code, c.item, c.spec, c.unit,
    c.usage_qty, c.net_fen, c.rate_bp, c.tax_fen, c.gross_fen, c.paid_fen, c.original_number, c.remark, FALSE,
    h.upload_id
FROM held_row AS h
INNER JOIN (
    SELECT DISTINCT s.invoice_number, s.upload_id
    FROM stage AS s
    WHERE
        NOT s.has_error
        AND s.invoice_number IN (
            SELECT w.content ->> 'original_number' FROM held_row AS w WHERE w.waits_for = 'original'
        )
) AS b ON b.invoice_number = h.content ->> 'original_number'
CROSS JOIN LATERAL jsonb_to_record(h.content) AS c (
    issued_on date, provider_uscc text, provider_name text, company_uscc text, company_name text, contract_no text,
    service_from date, service_until date, tax_code text, item text, spec text, unit text, usage_qty numeric,
    net_fen bigint, rate_bp integer, tax_fen bigint, gross_fen bigint, paid_fen bigint, original_number text,
    remark text
)
WHERE
    h.waits_for = 'original'
    AND NOT EXISTS (SELECT FROM stage AS n WHERE n.invoice_number = h.invoice_number AND n.held_upload_id > 0)
    AND NOT EXISTS (SELECT FROM invoice_number AS a WHERE a.number = h.invoice_number)
    AND NOT EXISTS (
        SELECT FROM held_row AS later
        WHERE
            later.invoice_number = h.invoice_number AND later.upload_id > h.upload_id
            AND later.waits_for = h.waits_for
    )
