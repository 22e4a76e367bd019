-- grain:  one row per upload of the same files for the same provider and month, oldest first
-- params: sha256 (text[], hex), provider, service_month
-- File by file, each two looks into an index: between two analyses of a ledger that fills, the planner takes all
-- uploads of nobody in particular for one and would compare each of them with each of many files.
SELECT f.sha256, u.upload_id, u.open_rows
FROM unnest(CAST(:sha256 AS text[])) AS f (sha256)
CROSS JOIN LATERAL (
    SELECT u.upload_id, s.no, u.conflict + u.rejected + u.held AS open_rows
    FROM upload AS u
    INNER JOIN seal AS s ON s.act_id = u.upload_id
    WHERE u.sha256 = decode(f.sha256, 'hex') AND u.provider_uscc = :provider AND u.service_month = :service_month
    OFFSET 0 -- noqa: AM09
) AS u
ORDER BY u.no
