-- grain:  one row per transfer booked by a seal number, in the order of the books
-- params: cutoff (seal number)
SELECT
    s.no, a.effective_on, a.kind, t.transfer_no, d.name AS debit, c.name AS credit, t.amount_fen, t.run_id, t.line_no
FROM seal AS s
INNER JOIN act AS a ON a.act_id = s.act_id
INNER JOIN transfer AS t ON t.act_id = s.act_id
INNER JOIN account AS d ON d.account_id = t.debit_account_id
INNER JOIN account AS c ON c.account_id = t.credit_account_id
WHERE s.no <= CAST(:cutoff AS bigint)
ORDER BY s.no, t.transfer_no
