-- grain:  one row: the newest profile of a provider and header, and how many there were; none without any
-- params: header_sha256 (hex), provider (USCC, empty: for everybody)
SELECT m.profile, count(*) OVER () AS times
FROM mapping AS m
INNER JOIN seal AS s ON s.act_id = m.act_id
WHERE m.header_sha256 = decode(:header_sha256, 'hex') AND m.provider_uscc = :provider
ORDER BY s.no DESC
LIMIT 1
