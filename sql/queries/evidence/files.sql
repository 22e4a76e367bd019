-- grain:  one row per file that named an invoice number, oldest first
-- params: number
SELECT DISTINCT encode(u.sha256, 'hex') AS sha256, u.file_name, r.upload_id
FROM upload_row AS r
INNER JOIN upload AS u ON u.upload_id = r.upload_id
WHERE r.invoice_number = :number
ORDER BY r.upload_id
