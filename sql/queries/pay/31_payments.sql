-- grain:  inserts one payment per payee and account of what can be paid
-- params: act_id (reads payable)
INSERT INTO payment (
    batch_id, payment_no, payee_id, account_act_id, account_row_no, amount_fen, reference, act_id
)
SELECT
    CAST(:act_id AS bigint), row_number() OVER w, p.payee_id, p.account_act_id, p.account_row_no, sum(p.fen),
    format('CQV-%s-%s', CAST(:act_id AS bigint), row_number() OVER w), CAST(:act_id AS bigint)
FROM payable AS p
WHERE p.code IS NULL
GROUP BY p.payee_id, p.account_act_id, p.account_row_no
WINDOW w AS (ORDER BY p.payee_id)
