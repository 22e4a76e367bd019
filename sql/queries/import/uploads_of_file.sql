-- grain:  one row per upload of the same files for the same provider and month, oldest first
-- params: sha256 (text[], hex), provider, service_month
SELECT encode(u.sha256, 'hex') AS sha256, u.upload_id, u.conflict + u.rejected + u.held AS open_rows
FROM upload AS u
INNER JOIN seal AS s ON s.act_id = u.upload_id
WHERE
    u.sha256 IN (SELECT decode(f.sha256, 'hex') FROM unnest(CAST(:sha256 AS text[])) AS f (sha256))
    AND u.provider_uscc = :provider AND u.service_month = :service_month
ORDER BY s.no
