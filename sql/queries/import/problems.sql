-- grain:  one row per problem of an upload, in order
-- params: upload_id
SELECT p.sheet, p.row_no, p.code, p.severity, p.column_name, p.value, p.message, p.invoice_number
FROM upload_problem AS p
WHERE p.upload_id = CAST(:upload_id AS bigint)
ORDER BY p.problem_no
