-- grain:  one row per payment of a batch as it stood at the cutoff, in order; account_no is for the export
--         alone; succeeds: the merged companies of which it pays lines, in whose place the payee is
-- params: batch, cutoff (seal number)
SELECT
    p.payment_no, p.reference, c.uscc AS payee, n.name, b.holder, b.bank, b.account_no, b.account_last4, b.clearing_no,
    p.amount_fen, y.state, t.happened_on, t.bank_reference, t.reason, l.lines, l.succeeds
FROM payment AS p
INNER JOIN payment_at(CAST(:cutoff AS bigint)) AS y ON y.payment_id = p.payment_id
INNER JOIN party AS c ON c.party_id = p.payee_id
INNER JOIN bank_account AS b ON b.act_id = p.account_act_id AND b.row_no = p.account_row_no
INNER JOIN (
    SELECT
        i.payment_id, count(*) AS lines,
        string_agg(DISTINCT a.uscc, '、') FILTER (WHERE i.company_id <> o.payee_id) AS succeeds
    FROM payment AS o
    INNER JOIN payment_line AS i ON i.payment_id = o.payment_id
    INNER JOIN party AS a ON a.party_id = i.company_id
    WHERE o.batch_id = CAST(:batch AS bigint)
    GROUP BY i.payment_id
) AS l ON l.payment_id = p.payment_id
LEFT JOIN party_name_at(CAST(:cutoff AS bigint)) AS n ON n.party_id = p.payee_id
LEFT JOIN payment_result AS t ON t.payment_id = p.payment_id AND t.step = y.step
WHERE p.batch_id = CAST(:batch AS bigint)
ORDER BY p.payment_no
