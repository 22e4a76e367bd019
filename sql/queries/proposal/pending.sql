-- grain:  one row per proposal that waited for a decision at the cutoff
-- params: cutoff (seal number)
SELECT
    p.act_id, p.kind, p.subject, p.payload, encode(p.payload_sha256, 'hex') AS digest, p.maker,
    'proposed' AS state
FROM proposal AS p
INNER JOIN seal AS s ON s.act_id = p.act_id AND s.no <= CAST(:cutoff AS bigint)
LEFT JOIN decision_at(CAST(:cutoff AS bigint)) AS d ON d.proposal_act_id = p.act_id
WHERE d.act_id IS NULL
ORDER BY p.act_id
