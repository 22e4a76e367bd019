-- grain:  inserts what a decider was told
-- params: act_id, answer
INSERT INTO decision_answer (act_id, answer) VALUES (CAST(:act_id AS bigint), :answer)
