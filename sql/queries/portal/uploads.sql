-- grain:  one row per upload, newest first
-- params: provider (USCC, null for all), upload_id (null for all), before (seal number, null for the newest), rows,
--         skip
SELECT
    u.upload_id, u.file_name, u.format, u.provider_uscc, u.service_month, u.received_on, s.recorded_at, s.no AS act_no,
    encode(u.sha256, 'hex') AS sha256, u.rows, u.accepted, u.duplicate, u.conflict, u.rejected, u.held,
    u.conflict + u.rejected + u.held AS open_rows
FROM upload AS u
INNER JOIN seal AS s ON s.act_id = u.upload_id
WHERE
    (CAST(:provider AS text) IS NULL OR u.provider_uscc = CAST(:provider AS text))
    AND (CAST(:upload_id AS bigint) IS NULL OR u.upload_id = CAST(:upload_id AS bigint))
    AND (CAST(:before AS bigint) IS NULL OR s.no < CAST(:before AS bigint))
ORDER BY s.no DESC
LIMIT CAST(:rows AS bigint)
OFFSET CAST(:skip AS bigint)
