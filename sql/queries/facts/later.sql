-- grain:  one row per fact about an invoice recorded after one seal and by another, in order
-- params: number, after (seal number), cutoff (seal number)
WITH fact AS (
    SELECT i.act_id, i.place AS row_no, 'red' AS what, i.number AS name, i.gross_fen AS fen, FALSE AS waived
    FROM invoice AS i
    WHERE i.kind = 'red' AND i.original_number = :number
    UNION ALL
    SELECT p.act_id, p.row_no, 'payment', p.reference, p.amount_fen, FALSE
    FROM invoice_payment AS p
    WHERE p.invoice_number = :number
    UNION ALL
    SELECT u.act_id, u.row_no, 'subsidy', u.policy_name, u.amount_fen, u.waived
    FROM subsidy AS u
    WHERE u.invoice_number = :number
)

SELECT s.no, a.effective_on, a.actor, f.what, f.name, f.fen, f.waived
FROM fact AS f
INNER JOIN act AS a ON a.act_id = f.act_id
INNER JOIN seal AS s ON s.act_id = f.act_id
WHERE s.no > CAST(:after AS bigint) AND s.no <= CAST(:cutoff AS bigint)
ORDER BY s.no, f.what COLLATE "C", f.row_no
