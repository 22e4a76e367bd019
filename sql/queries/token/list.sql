-- grain:  one row per token, newest first
-- params: none
SELECT
    t.token_id, t.name, t.label, t.scopes, t.made_by, t.made_at, t.until_at, t.revoked_at, t.used_at,
    t.revoked_at IS NULL AND t.until_at > clock_timestamp() AS good
FROM api_token AS t
ORDER BY t.token_id DESC
