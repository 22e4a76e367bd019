-- grain:  one row per voucher of a programme whose absorbed companies were granted more than has lapsed for it
-- params: programme_id
SELECT v.voucher_id, CAST(u.used_fen - coalesce(a.balance_fen, 0) AS bigint) AS over_fen
FROM (
    SELECT b.voucher_id, sum(b.used_fen) AS used_fen
    FROM absorbed_use AS b
    GROUP BY b.voucher_id
) AS u
INNER JOIN voucher AS v ON v.voucher_id = u.voucher_id
LEFT JOIN account AS a
    ON a.programme_id = v.programme_id AND a.company_id = v.company_id AND a.year = v.cap_year AND a.kind = 'lapsed'
WHERE v.programme_id = :programme_id AND u.used_fen > coalesce(a.balance_fen, 0)
ORDER BY v.voucher_id
