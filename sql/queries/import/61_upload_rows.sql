-- grain:  inserts one row per row of the file that was not accepted, as it was uploaded
-- params: upload_id
INSERT INTO upload_row (upload_id, sheet, row_no, outcome, invoice_number, cells)
SELECT
    CAST(:upload_id AS bigint), s.sheet, s.row_no, coalesce(j.outcome, 'rejected'), coalesce(s.invoice_number, ''),
    s.raw
FROM stage AS s
LEFT JOIN judged AS j ON j.number = s.invoice_number
WHERE s.held_upload_id = 0 AND coalesce(j.outcome, 'rejected') <> 'accepted'
