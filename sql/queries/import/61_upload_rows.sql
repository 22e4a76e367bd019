-- grain:  inserts one row per row of the files that was not accepted, as it was uploaded
-- params: none (reads stage, judged)
INSERT INTO upload_row (upload_id, sheet, row_no, outcome, invoice_number, cells)
SELECT
    s.upload_id, s.sheet, s.row_no, coalesce(j.outcome, 'rejected'), coalesce(s.invoice_number, ''),
    s.raw
FROM stage AS s
LEFT JOIN judged AS j ON j.number = s.invoice_number AND j.held_upload_id = s.held_upload_id
WHERE s.held_upload_id = 0 AND coalesce(j.outcome, 'rejected') <> 'accepted'
