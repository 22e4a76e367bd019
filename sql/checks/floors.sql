-- check:  no account but the roots is below zero
-- title:  账户不透支
-- grain:  one row per account below zero; no rows means all is well
-- params: none
-- source: DESIGN 5, transfer; the roots are what the bureau gives out of: limit authority and treasury
SELECT
    CAST(NULL AS bigint) AS act_no, a.name AS subject,
    format('账户余额为%s元，低于零。', round(a.balance_fen / 100.0, 2)) AS detail
FROM account AS a
WHERE a.balance_fen < 0 AND split_part(a.name, ':', 2) NOT IN ('authority', 'treasury')
ORDER BY a.name
