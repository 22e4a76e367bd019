-- grain:  inserts the transfers of the news: on to paid, or back to payable; what was recovered meanwhile goes back
--         to the budget (returned, once its fiscal year is closed), what was also repaid is owed again
-- params: act_id (reads share)
WITH leg AS (
    SELECT
        s.company_id, s.run_id, s.line_no, s.fiscal_year, s.closed, s.payment_id, l.step, l.debit, l.credit, l.fen
    FROM share AS s
    CROSS JOIN LATERAL (
        VALUES
        (1, s.from_state, CASE s.state WHEN 'paid' THEN 'paid' ELSE 'payable' END, s.through_fen),
        (2, 'recoverable', 'home', s.recovered_fen),
        (3, 'home', 'payable', s.repaid_fen)
    ) AS l (step, debit, credit, fen)
    WHERE l.fen > 0
),

named AS (
    SELECT a.account_id, a.company_id, a.year, a.kind FROM account AS a WHERE a.name LIKE 'money:%'
)

INSERT INTO transfer (
    company_id, act_id, transfer_no, debit_account_id, credit_account_id, amount_fen, run_id, line_no
)
SELECT
    l.company_id, CAST(:act_id AS bigint), row_number() OVER (ORDER BY l.payment_id, l.line_no, l.step),
    d.account_id, c.account_id, l.fen, l.run_id, l.line_no
FROM leg AS l
INNER JOIN named AS d
    ON d.kind = CASE WHEN l.debit <> 'home' THEN l.debit WHEN l.closed THEN 'returned' ELSE 'appropriation' END
    AND d.company_id = CASE WHEN l.debit = 'home' THEN 0 ELSE l.company_id END
    AND (l.debit <> 'home' OR d.year = l.fiscal_year)
INNER JOIN named AS c
    ON c.kind = CASE WHEN l.credit <> 'home' THEN l.credit WHEN l.closed THEN 'returned' ELSE 'appropriation' END
    AND c.company_id = CASE WHEN l.credit = 'home' THEN 0 ELSE l.company_id END
    AND (l.credit <> 'home' OR c.year = l.fiscal_year)
