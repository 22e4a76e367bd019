-- grain:  inserts one row per line that a payment pays
-- params: act_id (reads payable)
INSERT INTO payment_line (company_id, payment_id, run_id, line_no, amount_fen, act_id)
SELECT p.company_id, y.payment_id, p.run_id, p.line_no, p.fen, CAST(:act_id AS bigint)
FROM payable AS p
INNER JOIN payment AS y ON y.batch_id = CAST(:act_id AS bigint) AND y.payee_id = p.payee_id
WHERE p.code IS NULL
