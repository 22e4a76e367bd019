-- grain:  one row per voucher of the companies of a run whose absorbed companies used more than has lapsed for it
-- params: run_id
SELECT v.voucher_id, CAST(u.used_fen - coalesce(a.balance_fen, 0) AS bigint) AS over_fen
FROM run AS r
INNER JOIN voucher AS v ON v.programme_id = r.programme_id
INNER JOIN (
    SELECT b.voucher_id, sum(b.used_fen) AS used_fen
    FROM absorbed_use AS b
    GROUP BY b.voucher_id
) AS u ON u.voucher_id = v.voucher_id
LEFT JOIN account AS a
    ON a.programme_id = v.programme_id AND a.company_id = v.company_id AND a.year = v.cap_year AND a.kind = 'lapsed'
WHERE
    r.run_id = CAST(:run_id AS bigint) AND u.used_fen > coalesce(a.balance_fen, 0)
    AND EXISTS (
        SELECT FROM run_line AS l
        WHERE l.run_id = r.run_id AND l.company_id = v.company_id AND l.cap_year = v.cap_year AND l.granted_fen <> 0
    )
ORDER BY v.voucher_id
