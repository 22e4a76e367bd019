-- grain:  one row: a proposal and its state
-- params: act_id
SELECT
    p.act_id, p.kind, p.subject, p.payload, encode(p.payload_sha256, 'hex') AS digest, p.maker,
    coalesce(d.verdict, 'proposed') AS state
FROM proposal AS p
LEFT JOIN decision AS d ON d.proposal_act_id = p.act_id
WHERE p.act_id = CAST(:act_id AS bigint)
