-- grain:  one row per account that the act's journal touches, locked in ascending order
-- params: act_id
-- The transfers have locked them by their keys already, in no order: a lock that goes with that one cannot deadlock.
SELECT a.account_id
FROM account AS a
WHERE a.account_id IN (
    SELECT t.debit_account_id FROM transfer AS t WHERE t.act_id = CAST(:act_id AS bigint)
    UNION
    SELECT t.credit_account_id FROM transfer AS t WHERE t.act_id = CAST(:act_id AS bigint)
)
ORDER BY a.account_id
FOR NO KEY UPDATE
