-- grain:  one row: the act of a kind and reference
-- params: kind, reference
SELECT a.act_id, a.actor, a.effective_on, encode(a.request_sha256, 'hex') AS request_sha256, s.no, s.recorded_at
FROM act AS a
INNER JOIN seal AS s ON s.act_id = a.act_id
WHERE a.kind = :kind AND a.reference = :reference
