-- grain:  one row per seal after a number, in order, at most a given many: what its header and digests say
-- params: after_no, many
-- rows is about how many facts the act wrote; it only decides how they are read
SELECT
    s.no, s.act_id, s.recorded_at, s.accepted_before, s.accepted,
    encode(s.body_sha256, 'hex') AS body_sha256, encode(s.body_sm3, 'hex') AS body_sm3,
    encode(s.chain_sha256, 'hex') AS chain_sha256, encode(s.chain_sm3, 'hex') AS chain_sm3,
    a.kind, a.reference, a.actor, a.effective_on,
    s.accepted + coalesce(u.rows, 0) + coalesce(r.lines, 0) + coalesce(p.lines, 0) AS rows
FROM seal AS s
LEFT JOIN act AS a ON a.act_id = s.act_id
LEFT JOIN upload AS u ON u.upload_id = s.act_id
LEFT JOIN run AS r ON r.proposal_act_id = s.act_id
LEFT JOIN decision AS d ON d.act_id = s.act_id
LEFT JOIN run AS p ON p.proposal_act_id = d.proposal_act_id
WHERE s.no > CAST(:after_no AS bigint)
ORDER BY s.no
LIMIT CAST(:many AS bigint)
