-- grain:  inserts the document of each upload, or none where the same bytes are known
-- params: none (reads context)
INSERT INTO document (sha256, sm3, size_bytes, act_id, pack)
SELECT x.sha256, x.sm3, x.size_bytes, x.upload_id, x.pack
FROM context AS x
ORDER BY x.sha256
ON CONFLICT (sha256) DO NOTHING
