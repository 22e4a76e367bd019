-- grain:  one row per policy document recorded after one seal and by another, in order of their ids
-- params: after_no, cutoff (seal numbers)
SELECT p.policy_id, p.body
FROM policy AS p
INNER JOIN seal AS s ON s.act_id = p.act_id
WHERE s.no > CAST(:after_no AS bigint) AND s.no <= CAST(:cutoff AS bigint)
ORDER BY p.policy_id COLLATE "C"
