-- grain:  one row: the last seal recorded by a moment (a null moment means now); none on an empty ledger
-- params: moment
SELECT
    s.no, s.recorded_at,
    encode(s.chain_sha256, 'hex') AS chain_sha256, encode(s.chain_sm3, 'hex') AS chain_sm3
FROM seal AS s
WHERE CAST(:moment AS timestamptz) IS NULL OR s.recorded_at <= CAST(:moment AS timestamptz)
ORDER BY s.no DESC
LIMIT 1
