-- grain:  inserts the typed content of each held row, for the act that brings what it waits for, and of each row in
--         conflict, for the person who decides
-- params: none (reads judged, stage, context)
INSERT INTO held_row (
    upload_id, sheet, row_no, digest, invoice_number, invoice_kind, waits_for, evidence, received_on, content
)
SELECT
    s.upload_id, s.sheet, s.row_no, s.digest, s.invoice_number, s.invoice_kind,
    CASE WHEN j.outcome = 'conflict' THEN 'resolution' ELSE CASE j.code
        WHEN 'original_missing' THEN 'original'
        WHEN 'tax_codes_missing' THEN 'tax_codes'
        WHEN 'service_span_missing' THEN 'span'
        ELSE 'confirmation'
    END END, x.evidence, j.received_on,
    to_jsonb(s) - ARRAY[
        'upload_id', 'sheet', 'row_no', 'raw', 'digest', 'invoice_number', 'invoice_kind', 'has_error', 'held_upload_id'
    ]
FROM judged AS j
INNER JOIN stage AS s ON s.invoice_number = j.number AND s.held_upload_id = j.held_upload_id
INNER JOIN context AS x ON x.upload_id = s.upload_id
WHERE j.outcome IN ('held', 'conflict') AND j.held_upload_id = 0
