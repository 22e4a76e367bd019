-- grain:  one row: the newest profile for a header, the provider's own before one for everybody; none without any
-- params: header_sha256 (hex), provider (USCC, may be empty)
SELECT m.profile
FROM mapping AS m
INNER JOIN seal AS s ON s.act_id = m.act_id
WHERE m.header_sha256 = decode(:header_sha256, 'hex') AND m.provider_uscc IN ('', :provider)
ORDER BY m.provider_uscc DESC, s.no DESC
LIMIT 1
