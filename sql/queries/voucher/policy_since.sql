-- grain:  one row when a policy document of the programme was recorded after an act
-- params: programme_id, act_id
SELECT p.policy_id
FROM policy AS p
INNER JOIN seal AS s ON s.act_id = p.act_id
WHERE
    p.programme_id = :programme_id
    AND s.no > (SELECT o.no FROM seal AS o WHERE o.act_id = CAST(:act_id AS bigint))
ORDER BY s.no DESC
LIMIT 1
