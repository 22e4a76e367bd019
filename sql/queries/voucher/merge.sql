-- grain:  inserts the merger of one company into another
-- params: absorbed_id, survivor_id, merged_on, act_id
INSERT INTO merger (absorbed_id, survivor_id, merged_on, act_id)
VALUES (
    CAST(:absorbed_id AS bigint), CAST(:survivor_id AS bigint), CAST(:merged_on AS date), CAST(:act_id AS bigint)
)
