-- grain:  inserts one disclosure
-- params: run_id, from_on, until_on (last full working day), working_days, act_id
INSERT INTO disclosure (run_id, from_on, until_on, working_days, act_id)
VALUES (:run_id, :from_on, :until_on, :working_days, :act_id)
