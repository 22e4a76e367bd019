-- grain:  one row per move of a voucher, in order
-- params: voucher_id
SELECT m.step, m.from_state, m.to_state, m.why, s.no AS act_no, s.recorded_at, a.actor
FROM move AS m
INNER JOIN act AS a ON a.act_id = m.act_id
INNER JOIN seal AS s ON s.act_id = m.act_id
WHERE m.noun = 'voucher' AND m.subject_id = CAST(:voucher_id AS bigint)
ORDER BY m.step
