-- grain:  inserts the first move of each payment of an approved batch
-- params: batch, act_id
INSERT INTO move (noun, subject_id, step, from_state, to_state, act_id)
SELECT 'payment', p.payment_id, 1, 'none', 'in_transit', CAST(:act_id AS bigint)
FROM payment AS p
WHERE p.batch_id = CAST(:batch AS bigint)
ORDER BY p.payment_id
