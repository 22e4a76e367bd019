-- grain:  inserts one decision
-- params: proposal_act_id, verdict, why, decided_by, act_id
INSERT INTO decision (proposal_act_id, verdict, why, decided_by, act_id)
VALUES (:proposal_act_id, :verdict, :why, :decided_by, :act_id)
