-- grain:  updates each account of the act's journal once, by its net movement
-- params: act_id
WITH movement AS (
    SELECT t.debit_account_id AS account_id, -t.amount_fen AS fen
    FROM transfer AS t
    WHERE t.act_id = CAST(:act_id AS bigint)
    UNION ALL
    SELECT t.credit_account_id, t.amount_fen
    FROM transfer AS t
    WHERE t.act_id = CAST(:act_id AS bigint)
),

net AS (
    SELECT m.account_id, CAST(sum(m.fen) AS bigint) AS fen
    FROM movement AS m
    GROUP BY m.account_id
)

UPDATE account AS a
SET balance_fen = a.balance_fen + n.fen
FROM net AS n
WHERE a.account_id = n.account_id AND n.fen <> 0
