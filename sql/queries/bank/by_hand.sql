-- grain:  one row per match by hand that was not undone, newest first: the line, the payments (null: none of ours), why
-- params: cutoff (seal number)
SELECT
    m.act_id AS match, m.statement_id || ':' || m.row_no AS line, l.booked_on AS day_on, l.name, l.amount_fen, m.why,
    string_agg(y.reference, ' ' ORDER BY y.reference) AS payments
FROM bank_match AS m
INNER JOIN seal AS s ON s.act_id = m.act_id AND s.no <= CAST(:cutoff AS bigint)
INNER JOIN bank_line AS l ON l.statement_id = m.statement_id AND l.row_no = m.row_no
LEFT JOIN payment AS y ON y.payment_id = m.payment_id
WHERE NOT EXISTS (
    SELECT FROM move AS v
    INNER JOIN seal AS u ON u.act_id = v.act_id AND u.no <= CAST(:cutoff AS bigint)
    WHERE v.noun = 'bank_match' AND v.subject_id = m.act_id AND v.to_state = 'undone'
)
GROUP BY m.act_id, s.no, m.statement_id, m.row_no, l.booked_on, l.name, l.amount_fen, m.why
ORDER BY s.no DESC
