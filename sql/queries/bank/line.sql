-- grain:  one row: a line, and the match by hand that holds it, if any
-- params: statement_id, row_no
SELECT l.amount_fen, l.booked_on, l.name, l.serial, l.remark, h.act_id AS match_act_id
FROM bank_line AS l
LEFT JOIN (
    bank_match AS h
    INNER JOIN LATERAL (
        SELECT max(m.step) AS step FROM move AS m WHERE m.noun = 'bank_match' AND m.subject_id = h.act_id
    ) AS m ON m.step = 1
) ON h.statement_id = l.statement_id AND h.row_no = l.row_no
WHERE l.statement_id = CAST(:statement_id AS bigint) AND l.row_no = CAST(:row_no AS bigint)
ORDER BY h.act_id
LIMIT 1
