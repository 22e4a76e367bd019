-- grain:  one row per row of the uploads that needs a look, as uploaded, in order
-- params: upload_ids (bigint[])
SELECT r.upload_id, r.sheet, r.row_no, r.outcome, r.invoice_number, r.cells
FROM upload_row AS r
WHERE r.upload_id = ANY(CAST(:upload_ids AS bigint[])) AND r.outcome <> 'duplicate'
ORDER BY r.upload_id, r.sheet, r.row_no
