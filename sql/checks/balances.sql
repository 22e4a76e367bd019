-- check:  every account's balance is its credits less its debits
-- title:  账户余额与转账一致
-- grain:  one row per account that differs; no rows means all is well
-- params: none
-- source: DESIGN 5, transfer
-- few pairs of accounts see very many transfers: those are added up once, for both sides
WITH pair AS (
    SELECT t.debit_account_id, t.credit_account_id, sum(t.amount_fen) AS fen
    FROM transfer AS t
    GROUP BY t.debit_account_id, t.credit_account_id
),

debited AS (
    SELECT p.debit_account_id AS account_id, sum(p.fen) AS fen
    FROM pair AS p
    GROUP BY p.debit_account_id
),

credited AS (
    SELECT p.credit_account_id AS account_id, sum(p.fen) AS fen
    FROM pair AS p
    GROUP BY p.credit_account_id
)

SELECT
    CAST(NULL AS bigint) AS act_no, a.name AS subject,
    format(
        '账户余额记为%s元，按转账应为贷方%s元减借方%s元，相差%s元。',
        round(a.balance_fen / 100.0, 2), round(coalesce(c.fen, 0) / 100.0, 2), round(coalesce(d.fen, 0) / 100.0, 2),
        round((a.balance_fen - coalesce(c.fen, 0) + coalesce(d.fen, 0)) / 100.0, 2)
    ) AS detail
FROM account AS a
LEFT JOIN debited AS d ON d.account_id = a.account_id
LEFT JOIN credited AS c ON c.account_id = a.account_id
WHERE a.balance_fen <> coalesce(c.fen, 0) - coalesce(d.fen, 0)
ORDER BY a.name
