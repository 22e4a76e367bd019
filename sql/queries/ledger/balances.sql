-- grain:  one row per account that has moved by the cutoff
-- params: cutoff (seal number), name (prefix, may be empty)
SELECT a.name AS account, CAST(sum(m.fen) AS bigint) AS balance_fen, count(*) AS transfers
FROM account AS a
INNER JOIN moved_at(CAST(:cutoff AS bigint)) AS m ON m.account_id = a.account_id
WHERE starts_with(a.name, CAST(:name AS text))
GROUP BY a.name
ORDER BY a.name COLLATE "C"
