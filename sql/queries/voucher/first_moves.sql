-- grain:  inserts the first move of each voucher that this act issued
-- params: act_id
INSERT INTO move (noun, subject_id, step, from_state, to_state, act_id)
SELECT 'voucher', v.voucher_id, 1, 'none', 'issued', v.act_id
FROM voucher AS v
WHERE v.act_id = CAST(:act_id AS bigint)
ORDER BY v.voucher_id
