-- grain:  inserts one transfer per line of an approved batch: payable to in transit, both of the line's company
-- params: batch, act_id
INSERT INTO transfer (
    company_id, act_id, transfer_no, debit_account_id, credit_account_id, amount_fen, run_id, line_no
)
SELECT
    l.company_id, CAST(:act_id AS bigint), row_number() OVER (ORDER BY l.line_no), d.account_id, c.account_id,
    l.amount_fen, l.run_id, l.line_no
FROM payment AS p
INNER JOIN payment_line AS l ON l.payment_id = p.payment_id
INNER JOIN account AS d ON d.company_id = l.company_id AND d.kind = 'payable'
INNER JOIN account AS c ON c.company_id = l.company_id AND c.kind = 'in_transit'
WHERE p.batch_id = CAST(:batch AS bigint)
