-- grain:  one row per account that has moved by the cutoff
-- params: cutoff (seal number), name (prefix, may be empty)
WITH chosen AS (
    SELECT a.account_id, a.name FROM account AS a WHERE starts_with(a.name, CAST(:name AS text))
),

movement AS (
    SELECT t.debit_account_id AS account_id, -t.amount_fen AS fen, t.act_id FROM transfer AS t
    UNION ALL
    SELECT t.credit_account_id, t.amount_fen, t.act_id FROM transfer AS t
)

SELECT c.name AS account, CAST(sum(m.fen) AS bigint) AS balance_fen, count(*) AS transfers
FROM chosen AS c
INNER JOIN movement AS m ON m.account_id = c.account_id
INNER JOIN seal AS s ON s.act_id = m.act_id AND s.no <= CAST(:cutoff AS bigint)
GROUP BY c.name
ORDER BY c.name COLLATE "C"
