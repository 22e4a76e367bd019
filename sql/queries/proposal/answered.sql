-- grain:  one row: what a decider was told
-- params: act_id
SELECT a.answer FROM decision_answer AS a WHERE a.act_id = CAST(:act_id AS bigint)
