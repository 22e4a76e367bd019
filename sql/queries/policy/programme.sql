-- grain:  inserts one programme when it is not there yet
-- params: programme_id, act_id
INSERT INTO programme (programme_id, act_id) VALUES (:programme_id, :act_id)
ON CONFLICT (programme_id) DO NOTHING
