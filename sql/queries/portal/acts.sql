-- grain:  one row per sealed act, newest first, or the one asked for
-- params: act_no (seal number, null for all), rows, skip
SELECT
    s.no, s.recorded_at, a.kind, a.reference, a.actor, a.effective_on, encode(s.body_sha256, 'hex') AS body_sha256,
    encode(s.body_sm3, 'hex') AS body_sm3, encode(s.chain_sha256, 'hex') AS chain_sha256,
    encode(s.chain_sm3, 'hex') AS chain_sm3
FROM seal AS s
INNER JOIN act AS a ON a.act_id = s.act_id
WHERE CAST(:act_no AS bigint) IS NULL OR s.no = CAST(:act_no AS bigint)
ORDER BY s.no DESC
LIMIT CAST(:rows AS bigint)
OFFSET CAST(:skip AS bigint)
