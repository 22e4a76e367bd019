-- grain:  one row per line of a batch that can no longer be paid as it was proposed, the first ten
-- params: batch (reads payable, computed without this batch)
SELECT i.number AS invoice_number, coalesce(p.code, 'changed') AS code
FROM payment AS y
INNER JOIN payment_line AS l ON l.payment_id = y.payment_id
INNER JOIN run_line AS r ON r.company_id = l.company_id AND r.run_id = l.run_id AND r.line_no = l.line_no
INNER JOIN invoice AS i ON i.company_id = r.company_id AND i.invoice_id = r.invoice_id
LEFT JOIN payable AS p ON p.company_id = l.company_id AND p.run_id = l.run_id AND p.line_no = l.line_no
WHERE
    y.batch_id = CAST(:batch AS bigint)
    AND (
        p.line_no IS NULL OR p.code IS NOT NULL OR p.fen <> l.amount_fen OR p.payee_id <> y.payee_id
        OR p.account_act_id <> y.account_act_id OR p.account_row_no <> y.account_row_no
    )
ORDER BY l.line_no
LIMIT 10
