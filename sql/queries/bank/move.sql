-- grain:  inserts a move of a match by hand
-- params: match_act_id, step, from_state, to_state, why, act_id
INSERT INTO move (noun, subject_id, step, from_state, to_state, why, act_id)
VALUES ('bank_match', :match_act_id, :step, :from_state, :to_state, :why, :act_id)
