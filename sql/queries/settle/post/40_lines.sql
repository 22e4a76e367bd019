-- grain:  inserts two transfers per line with money: the limit it uses, and what is owed to the company
-- params: run_id, act_id
-- The faces come first; counting them stands alone so that it is done once, not per line.
WITH owed AS (
    SELECT
        l.company_id, l.run_id, l.line_no, l.granted_fen, v.account_id AS voucher_id, u.account_id AS redeemed_id,
        a.account_id AS appropriation_id, p.account_id AS payable_id
    FROM run AS r
    INNER JOIN run_line AS l ON l.run_id = r.run_id
    INNER JOIN account AS v
        ON v.programme_id = r.programme_id AND v.company_id = l.company_id AND v.year = l.cap_year
        AND v.kind = 'voucher'
    INNER JOIN account AS u
        ON u.programme_id = r.programme_id AND u.company_id = l.company_id AND u.year = l.cap_year
        AND u.kind = 'redeemed'
    INNER JOIN account AS a ON a.kind = 'appropriation' AND a.year = r.fiscal_year
    INNER JOIN account AS p ON p.kind = 'payable' AND p.company_id = l.company_id
    WHERE r.run_id = CAST(:run_id AS bigint) AND l.granted_fen > 0
)

INSERT INTO transfer (
    company_id, act_id, transfer_no, debit_account_id, credit_account_id, amount_fen, run_id, line_no
)
SELECT
    o.company_id, CAST(:act_id AS bigint),
    (SELECT count(*) FROM transfer AS t WHERE t.act_id = CAST(:act_id AS bigint))
    + row_number() OVER (ORDER BY o.line_no, g.leg),
    CASE g.leg WHEN 1 THEN o.voucher_id ELSE o.appropriation_id END,
    CASE g.leg WHEN 1 THEN o.redeemed_id ELSE o.payable_id END,
    o.granted_fen, o.run_id, o.line_no
FROM owed AS o
CROSS JOIN (VALUES (1), (2)) AS g (leg)
