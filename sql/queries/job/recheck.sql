-- grain:  one row per invoice and number of days after a payment for it went through that ends on the day
-- params: day, after_days (integer[])
SELECT DISTINCT i.number, d.days
FROM account AS a
INNER JOIN transfer AS t ON t.credit_account_id = a.account_id
INNER JOIN act AS p ON p.act_id = t.act_id
INNER JOIN run_line AS l ON l.company_id = t.company_id AND l.run_id = t.run_id AND l.line_no = t.line_no
INNER JOIN invoice AS i ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id
INNER JOIN unnest(CAST(:after_days AS integer[])) AS d (days) ON p.effective_on + d.days = CAST(:day AS date)
WHERE a.kind = 'paid'
ORDER BY d.days, i.number
