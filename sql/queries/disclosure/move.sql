-- grain:  inserts the next move of an objection
-- params: objection (its act id), step, from_state, to_state, why, act_id
INSERT INTO move (noun, subject_id, step, from_state, to_state, why, act_id)
VALUES ('objection', :objection, :step, :from_state, :to_state, :why, :act_id)
