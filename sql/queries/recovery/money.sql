-- grain:  inserts one transfer per line and state that money is taken back from; it carries the line whose money it is
-- params: act_id (reads taken)
WITH moved AS (
    SELECT t.company_id, t.run_id, t.line_no, t.debit_account_id, c.account_id AS credit_account_id, t.taken_fen
    FROM taken AS t
    INNER JOIN account AS c
        ON c.kind = t.credit_kind
        AND CASE t.credit_kind WHEN 'recoverable' THEN c.company_id = t.company_id ELSE c.year = t.fiscal_year END
)

INSERT INTO transfer (
    company_id, act_id, transfer_no, debit_account_id, credit_account_id, amount_fen, run_id, line_no
)
SELECT
    m.company_id, CAST(:act_id AS bigint),
    (SELECT count(*) FROM transfer AS t WHERE t.act_id = CAST(:act_id AS bigint))
    + row_number() OVER (ORDER BY m.company_id, m.run_id, m.line_no, m.debit_account_id),
    m.debit_account_id, m.credit_account_id, m.taken_fen, m.run_id, m.line_no
FROM moved AS m
