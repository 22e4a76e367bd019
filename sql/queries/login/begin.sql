-- grain:  inserts one session
-- params: token_sha256, name, form_token
INSERT INTO session (token_sha256, name, form_token) VALUES (:token_sha256, :name, :form_token)
