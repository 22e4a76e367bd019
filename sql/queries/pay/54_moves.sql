-- grain:  inserts the move of each payment in the news
-- params: act_id (reads told)
INSERT INTO move (noun, subject_id, step, from_state, to_state, why, act_id)
SELECT 'payment', t.payment_id, t.step + 1, t.from_state, t.state, t.reason, CAST(:act_id AS bigint)
FROM told AS t
WHERE t.verdict = 'fresh'
ORDER BY t.payment_id
