-- grain:  inserts a first request under a key; no row when there was one before
-- params: name, key, request_sha256
INSERT INTO api_answer (name, key, request_sha256) VALUES (:name, :key, :request_sha256)
ON CONFLICT (name, key) DO NOTHING
RETURNING key
