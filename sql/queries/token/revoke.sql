-- grain:  ends one token
-- params: token_id
UPDATE api_token SET revoked_at = clock_timestamp()
WHERE token_id = CAST(:token_id AS bigint) AND revoked_at IS NULL
