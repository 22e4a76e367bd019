-- grain:  one row per problem of the uploads, in order
-- params: upload_ids (bigint[])
SELECT p.upload_id, p.sheet, p.row_no, p.code, p.severity, p.column_name, p.value, p.message, p.invoice_number
FROM upload_problem AS p
WHERE p.upload_id = ANY(CAST(:upload_ids AS bigint[]))
ORDER BY p.upload_id, p.problem_no
