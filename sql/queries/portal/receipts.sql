-- grain:  one row per payment to a payee, newest first; of the account only the last four digits
-- params: payee (USCC)
WITH stood AS (
    SELECT DISTINCT ON (m.subject_id) m.subject_id AS payment_id, m.to_state, m.step, m.act_id
    FROM move AS m
    WHERE m.noun = 'payment'
    ORDER BY m.subject_id, m.step DESC
)

SELECT p.reference, p.amount_fen, t.to_state AS state, s.recorded_at, r.happened_on, r.reason
FROM payment AS p
INNER JOIN party AS c ON c.party_id = p.payee_id
INNER JOIN stood AS t ON t.payment_id = p.payment_id
INNER JOIN seal AS s ON s.act_id = t.act_id
LEFT JOIN payment_result AS r ON r.payment_id = p.payment_id AND r.step = t.step
WHERE c.uscc = :payee
ORDER BY s.no DESC, p.reference
