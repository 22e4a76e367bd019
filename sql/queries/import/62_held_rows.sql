-- grain:  inserts the typed content of each held row, for the act that brings what it waits for, and of each row in
--         conflict, for the person who decides
-- params: upload_id
INSERT INTO held_row (
    upload_id, sheet, row_no, digest, invoice_number, invoice_kind, waits_for, evidence, received_on, content
)
SELECT
    CAST(:upload_id AS bigint), s.sheet, s.row_no, s.digest, s.invoice_number, s.invoice_kind,
    CASE WHEN j.outcome = 'conflict' THEN 'resolution' ELSE CASE j.code
        WHEN 'original_missing' THEN 'original'
        WHEN 'tax_codes_missing' THEN 'tax_codes'
        WHEN 'service_span_missing' THEN 'span'
        ELSE 'confirmation'
    END END, x.evidence, j.received_on,
    to_jsonb(s) - ARRAY[
        'sheet', 'row_no', 'raw', 'digest', 'invoice_number', 'invoice_kind', 'has_error', 'held_upload_id'
    ]
FROM judged AS j
INNER JOIN stage AS s ON s.invoice_number = j.number
CROSS JOIN context AS x
WHERE j.outcome IN ('held', 'conflict') AND j.held_upload_id = 0
