-- grain:  one row per voucher: what this act wrote of companies merged into its own
-- params: act_id
SELECT b.voucher_id, c.uscc AS company, CAST(sum(b.used_fen) AS bigint) AS used_fen
FROM absorbed_use AS b
INNER JOIN party AS c ON c.party_id = b.company_id
WHERE b.act_id = CAST(:act_id AS bigint)
GROUP BY b.voucher_id, c.uscc
ORDER BY b.voucher_id
