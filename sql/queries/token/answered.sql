-- grain:  one row: what was asked under a key, and the answer if there is one yet
-- params: name, key
SELECT a.request_sha256, a.status, a.body FROM api_answer AS a WHERE a.name = :name AND a.key = :key
