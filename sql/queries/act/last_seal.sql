-- grain:  one row: what the seal of this act continues, read under the lock
-- params: act_id
SELECT
    a.kind, a.reference, a.actor, a.effective_on,
    coalesce(l.no, 0) + 1 AS no,
    greatest(clock_timestamp(), l.recorded_at) AS recorded_at,
    coalesce(l.accepted_before + l.accepted, 0) AS accepted_before,
    coalesce((SELECT max(i.place) FROM invoice AS i WHERE i.act_id = a.act_id), 0) AS accepted,
    encode(l.chain_sha256, 'hex') AS chain_sha256,
    encode(l.chain_sm3, 'hex') AS chain_sm3
FROM act AS a
LEFT JOIN LATERAL (SELECT s.* FROM seal AS s ORDER BY s.no DESC LIMIT 1) AS l ON TRUE
WHERE a.act_id = CAST(:act_id AS bigint)
