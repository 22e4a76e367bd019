-- grain:  one row per row of an upload that needs a look, as uploaded, in order
-- params: upload_id
SELECT r.sheet, r.row_no, r.outcome, r.invoice_number, r.cells
FROM upload_row AS r
WHERE r.upload_id = CAST(:upload_id AS bigint) AND r.outcome <> 'duplicate'
ORDER BY r.sheet, r.row_no
