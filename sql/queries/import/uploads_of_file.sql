-- grain:  one row per upload of the same file for the same provider and month, oldest first
-- params: sha256 (hex), provider, service_month
SELECT u.upload_id, u.conflict + u.rejected + u.held AS open_rows
FROM upload AS u
INNER JOIN seal AS s ON s.act_id = u.upload_id
WHERE u.sha256 = decode(:sha256, 'hex') AND u.provider_uscc = :provider AND u.service_month = :service_month
ORDER BY s.no
