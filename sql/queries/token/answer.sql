-- grain:  keeps the first answer under a key
-- params: name, key, status, body
UPDATE api_answer SET status = CAST(:status AS integer), body = :body
WHERE name = :name AND key = :key AND status IS NULL
