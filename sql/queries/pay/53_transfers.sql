-- grain:  inserts the transfers of the news: on to paid, or back to payable; what was recovered meanwhile goes back
--         to the budget (returned, once its fiscal year is closed)
-- params: act_id (reads share)
-- source: DESIGN 5. What was recovered and also repaid came in twice, from the company and from the bank: the budget
--         has it once, the rest is the company's own money, owed to it again. It comes from outside, as what the
--         treasury gives does, and takes nothing from the budget.
WITH leg AS (
    SELECT
        s.company_id, s.run_id, s.line_no, s.fiscal_year, s.closed, s.payment_id, l.step, l.debit, l.credit, l.fen
    FROM share AS s
    CROSS JOIN LATERAL (
        VALUES
        (1, s.from_state, CASE s.state WHEN 'paid' THEN 'paid' ELSE 'payable' END, s.through_fen),
        (2, 'recoverable', 'home', s.recovered_fen),
        (3, 'treasury', 'payable', s.repaid_fen)
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
    ON d.kind = l.debit AND CASE d.kind WHEN 'treasury' THEN d.year = l.fiscal_year ELSE d.company_id = l.company_id END
INNER JOIN named AS c
    ON c.kind = CASE WHEN l.credit <> 'home' THEN l.credit WHEN l.closed THEN 'returned' ELSE 'appropriation' END
    AND CASE l.credit WHEN 'home' THEN c.year = l.fiscal_year ELSE c.company_id = l.company_id END
