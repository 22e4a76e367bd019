-- grain:  inserts seals
-- params: seals (jsonb: no, act_id, recorded_at, accepted_before, accepted, and the four digests in hex)
INSERT INTO seal (
    no, act_id, recorded_at, accepted_before, accepted, body_sha256, body_sm3, chain_sha256, chain_sm3
)
SELECT
    s.no, s.act_id, s.recorded_at, s.accepted_before, s.accepted,
    decode(s.body_sha256, 'hex'), decode(s.body_sm3, 'hex'),
    decode(s.chain_sha256, 'hex'), decode(s.chain_sm3, 'hex')
FROM jsonb_to_recordset(CAST(:seals AS jsonb)) AS s (
    no bigint, act_id bigint, recorded_at timestamptz, accepted_before bigint, accepted bigint, body_sha256 text,
    body_sm3 text, chain_sha256 text, chain_sm3 text
)
ORDER BY s.no
