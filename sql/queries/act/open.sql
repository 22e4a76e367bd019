-- grain:  inserts one act, or none when its kind and reference are taken
-- params: kind, reference, actor, effective_on, request_sha256 (hex)
INSERT INTO act (kind, reference, actor, effective_on, request_sha256)
VALUES (:kind, :reference, :actor, :effective_on, decode(:request_sha256, 'hex'))
ON CONFLICT (kind, reference) DO NOTHING
RETURNING act_id
