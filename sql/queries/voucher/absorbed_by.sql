-- grain:  one row per voucher: what this act wrote of companies merged into its own
-- params: act_id
SELECT b.voucher_id, CAST(sum(b.used_fen) AS bigint) AS used_fen
FROM absorbed_use AS b
WHERE b.act_id = CAST(:act_id AS bigint)
GROUP BY b.voucher_id
ORDER BY b.voucher_id
