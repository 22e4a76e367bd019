-- grain:  one row: the seal of a number
-- params: no
SELECT
    s.no, s.recorded_at, encode(s.chain_sha256, 'hex') AS chain_sha256, encode(s.chain_sm3, 'hex') AS chain_sm3
FROM seal AS s
WHERE s.no = CAST(:no AS bigint)
