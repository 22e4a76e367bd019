-- grain:  one row: the last move of a match by hand
-- params: match_act_id
SELECT m.step, m.to_state AS state, m.why
FROM move AS m
WHERE m.noun = 'bank_match' AND m.subject_id = CAST(:match_act_id AS bigint)
ORDER BY m.step DESC
LIMIT 1
