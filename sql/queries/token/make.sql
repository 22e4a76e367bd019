-- grain:  inserts one token; its id
-- params: token_sha256, name, label, scopes, made_by, days
INSERT INTO api_token (token_sha256, name, label, scopes, made_by, until_at)
VALUES (
    :token_sha256, :name, :label, CAST(:scopes AS text[]), :made_by,
    clock_timestamp() + make_interval(days => CAST(:days AS integer))
)
RETURNING token_id
