-- grain:  one row per act: what its seal says, and the last seal so far, read under the lock
-- params: act_ids (bigint[])
SELECT
    a.act_id, a.kind, a.reference, a.actor, a.effective_on,
    coalesce((SELECT max(i.place) FROM invoice AS i WHERE i.act_id = a.act_id), 0) AS accepted,
    coalesce(l.no, 0) AS last_no,
    greatest(clock_timestamp(), l.recorded_at) AS recorded_at,
    coalesce(l.accepted_before + l.accepted, 0) AS accepted_before,
    encode(l.chain_sha256, 'hex') AS chain_sha256,
    encode(l.chain_sm3, 'hex') AS chain_sm3
FROM act AS a
LEFT JOIN LATERAL (SELECT s.* FROM seal AS s ORDER BY s.no DESC LIMIT 1) AS l ON TRUE
WHERE a.act_id = ANY(CAST(:act_ids AS bigint[]))
ORDER BY a.act_id
