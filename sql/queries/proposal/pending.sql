-- grain:  one row per proposal that waits for a decision
-- params: none
SELECT
    p.act_id, p.kind, p.subject, p.payload, encode(p.payload_sha256, 'hex') AS digest, p.maker,
    'proposed' AS state
FROM proposal AS p
LEFT JOIN decision AS d ON d.proposal_act_id = p.act_id
WHERE d.act_id IS NULL
ORDER BY p.act_id
