-- grain:  inserts one seal
-- params: no, act_id, recorded_at, accepted_before, accepted, body_sha256, body_sm3, chain_sha256, chain_sm3 (hex)
INSERT INTO seal (
    no, act_id, recorded_at, accepted_before, accepted, body_sha256, body_sm3, chain_sha256, chain_sm3
)
VALUES (
    :no, :act_id, :recorded_at, :accepted_before, :accepted,
    decode(:body_sha256, 'hex'), decode(:body_sm3, 'hex'),
    decode(:chain_sha256, 'hex'), decode(:chain_sm3, 'hex')
)
