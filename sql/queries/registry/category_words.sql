-- grain:  one row per category code: the word that the policy files declare for it
-- params: none
SELECT DISTINCT c.key AS code, c.value AS word
FROM policy AS p
CROSS JOIN LATERAL jsonb_each_text(p.parameters -> 'categories') AS c
ORDER BY c.key, c.value
