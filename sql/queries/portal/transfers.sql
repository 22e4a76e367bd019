-- grain:  one row per transfer of an account or of an act by the cutoff, newest first; amounts in fen
-- params: account (name, null for all), act_no (seal number, null for all), cutoff (seal number), rows (null for all),
--         skip
SELECT
    s.no AS act_no, s.recorded_at, t.transfer_no, a.kind AS act_kind, a.reference, a.actor, a.effective_on,
    d.name AS debit, c.name AS credit, t.amount_fen, t.run_id, i.number AS invoice_number
FROM transfer AS t
INNER JOIN seal AS s ON s.act_id = t.act_id AND s.no <= CAST(:cutoff AS bigint)
INNER JOIN act AS a ON a.act_id = t.act_id
INNER JOIN account AS d ON d.account_id = t.debit_account_id
INNER JOIN account AS c ON c.account_id = t.credit_account_id
LEFT JOIN run_line AS l ON l.company_id = t.company_id AND l.run_id = t.run_id AND l.line_no = t.line_no
LEFT JOIN invoice AS i ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id
WHERE
    (CAST(:account AS text) IS NULL OR CAST(:account AS text) IN (d.name, c.name))
    AND (CAST(:act_no AS bigint) IS NULL OR s.no = CAST(:act_no AS bigint))
ORDER BY s.no DESC, t.transfer_no
LIMIT CAST(:rows AS bigint)
OFFSET CAST(:skip AS bigint)
