-- grain:  one row per file of a user that waits to be confirmed, or the one asked for, newest first
-- params: name, handed_id (null for all)
SELECT h.handed_id, h.file_name, h.size_bytes, h.provider_uscc, h.service_month, h.outcome, h.handed_at
FROM waiting_file AS h
WHERE
    h.name = :name
    AND (CAST(:handed_id AS bigint) IS NULL OR h.handed_id = CAST(:handed_id AS bigint))
ORDER BY h.handed_id DESC
