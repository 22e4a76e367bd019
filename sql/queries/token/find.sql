-- grain:  one row: a token that is good now, with its user; noted as used once an hour
-- params: token_sha256
WITH good AS (
    SELECT t.token_id, t.name, t.scopes, t.used_at
    FROM api_token AS t
    WHERE t.token_sha256 = :token_sha256 AND t.revoked_at IS NULL AND t.until_at > clock_timestamp()
),

used AS (
    UPDATE api_token AS t SET used_at = clock_timestamp()
    FROM good AS g
    WHERE t.token_id = g.token_id AND coalesce(g.used_at, '-infinity') < clock_timestamp() - interval '1 hour'
)

SELECT g.token_id, g.name, g.scopes, u.role, u.provider_uscc
FROM good AS g
INNER JOIN app_user AS u ON u.name = g.name
