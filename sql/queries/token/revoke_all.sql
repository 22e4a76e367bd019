-- grain:  ends every token of a user
-- params: name
UPDATE api_token SET revoked_at = clock_timestamp()
WHERE name = :name AND revoked_at IS NULL
