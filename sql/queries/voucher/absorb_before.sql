-- grain:  inserts one row per voucher that this act issued and company that was merged into its own before: what that
--         one has been granted of the same year
-- params: act_id
INSERT INTO absorbed_use (voucher_id, absorbed_id, company_id, used_fen, act_id)
WITH RECURSIVE merged AS (
    SELECT v.voucher_id, v.programme_id, v.cap_year, v.company_id, v.company_id AS absorbed_id
    FROM voucher AS v
    WHERE v.act_id = CAST(:act_id AS bigint)
    UNION
    SELECT m.voucher_id, m.programme_id, m.cap_year, m.company_id, g.absorbed_id
    FROM merged AS m
    INNER JOIN merger AS g ON g.survivor_id = m.absorbed_id AND extract(YEAR FROM g.merged_on) <= m.cap_year
)

SELECT m.voucher_id, m.absorbed_id, m.company_id, a.balance_fen, CAST(:act_id AS bigint)
FROM merged AS m
INNER JOIN account AS a
    ON a.company_id = m.absorbed_id AND a.programme_id = m.programme_id AND a.year = m.cap_year AND a.kind = 'redeemed'
WHERE m.absorbed_id <> m.company_id AND a.balance_fen > 0
