-- grain:  one row per upload with its counts of rows
-- params: upload_ids (bigint[])
SELECT
    u.upload_id, encode(u.sha256, 'hex') AS sha256, u.file_name, u.format, u.provider_uscc, u.service_month,
    u.received_on, u.header, u.rows, u.accepted, u.duplicate, u.conflict, u.rejected, u.held
FROM upload AS u
WHERE u.upload_id = ANY(CAST(:upload_ids AS bigint[]))
