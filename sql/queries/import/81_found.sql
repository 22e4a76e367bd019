-- grain:  one row per problem that the queries found, in the order of the file
-- params: none
SELECT f.upload_id, f.code, f.sheet, f.row_no, f.column_name, f.value, f.invoice_number, f.words
FROM found AS f
ORDER BY f.row_no NULLS FIRST, f.sheet COLLATE "C", f.code, f.invoice_number, f.column_name, f.value COLLATE "C"
