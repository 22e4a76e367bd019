-- grain:  inserts one document, or none when the same bytes are known
-- params: sha256 (hex), sm3 (hex), size_bytes, act_id
INSERT INTO document (sha256, sm3, size_bytes, act_id)
VALUES (decode(:sha256, 'hex'), decode(:sm3, 'hex'), :size_bytes, :act_id)
ON CONFLICT (sha256) DO NOTHING
