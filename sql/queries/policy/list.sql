-- grain:  one row per policy document recorded by the cutoff
-- params: cutoff (seal number)
SELECT
    p.policy_id, p.programme_id, p.supersedes, lower(p.span) AS from_on, upper(p.span) AS until_on,
    encode(p.sha256, 'hex') AS sha256, p.body, s.no, s.recorded_at
FROM policy AS p
INNER JOIN seal AS s ON s.act_id = p.act_id
WHERE s.no <= CAST(:cutoff AS bigint)
ORDER BY p.programme_id, lower(p.span), p.policy_id
