-- grain:  deletes one session
-- params: token_sha256
DELETE FROM session WHERE token_sha256 = :token_sha256
