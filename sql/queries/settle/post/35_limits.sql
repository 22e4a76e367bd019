-- grain:  inserts one transfer per recovery line: the limit that it gives back
-- params: run_id, act_id (reads freed)
WITH owed AS (
    SELECT
        l.company_id, l.run_id, l.line_no, -l.granted_fen AS freed_fen, u.account_id AS redeemed_id,
        v.account_id AS credit_id
    FROM freed AS f
    INNER JOIN run_line AS l
        ON l.company_id = f.company_id AND l.cap_year = f.cap_year AND l.run_id = CAST(:run_id AS bigint)
        AND l.granted_fen < 0
    INNER JOIN account AS u
        ON u.programme_id = f.programme_id AND u.company_id = f.company_id AND u.year = f.cap_year
        AND u.kind = 'redeemed'
    INNER JOIN account AS v
        ON v.programme_id = f.programme_id AND v.company_id = f.company_id AND v.year = f.cap_year
        AND v.kind = f.credit_kind
)

INSERT INTO transfer (
    company_id, act_id, transfer_no, debit_account_id, credit_account_id, amount_fen, run_id, line_no
)
SELECT
    o.company_id, CAST(:act_id AS bigint),
    (SELECT count(*) FROM transfer AS t WHERE t.act_id = CAST(:act_id AS bigint))
    + row_number() OVER (ORDER BY o.line_no),
    o.redeemed_id, o.credit_id, o.freed_fen, o.run_id, o.line_no
FROM owed AS o
