-- grain:  inserts acts of one kind in their order, each unless its kind and reference are taken
-- params: kind, actor, effective_on, asked (jsonb: place, reference, request_sha256 in hex)
INSERT INTO act (kind, reference, actor, effective_on, request_sha256)
SELECT :kind, a.reference, :actor, CAST(:effective_on AS date), decode(a.request_sha256, 'hex')
FROM jsonb_to_recordset(CAST(:asked AS jsonb)) AS a (place integer, reference text, request_sha256 text)
ORDER BY a.place
ON CONFLICT (kind, reference) DO NOTHING
RETURNING act_id
