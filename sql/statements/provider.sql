-- report: 服务商对账单
-- grain:  one row per invoice of one provider handed in during the period
-- params: period_from, period_until (exclusive), cutoff (seal number), provider (USCC)
-- source: DESIGN 1; what a provider handed in and what became of it
-- basis:  按申报日归入本期；补贴额为该发票截至截止号的核定净额，拨付给企业
-- note:   补贴款拨付给用方企业，本表只供核对。红字以负数列示。
-- columns:
--   accepted_no  | 受理号 | id | 10
--   number       | 发票号码 | id | 24
--   kind         | 类型 | text | 6
--   company_name | 用方 | text | 28
--   from_on      | 服务起 | day | 12
--   until_on     | 服务止 | day | 12
--   net_fen      | 不含税金额 | money | 16
--   tax_fen      | 税额 | money | 14
--   gross_fen    | 价税合计 | money | 16
--   granted_fen  | 核定补贴 | money | 14
SELECT
    (s.accepted_before + i.place) || '' AS accepted_no, i.number,
    CASE i.kind WHEN 'blue' THEN '蓝字' ELSE '红字' END AS kind, coalesce(n.name, c.uscc) AS company_name,
    lower(i.span) AS from_on, upper(i.span) - 1 AS until_on, i.net_fen, i.tax_fen, i.gross_fen,
    coalesce(g.fen, 0) AS granted_fen
FROM invoice AS i
INNER JOIN party AS p ON p.party_id = i.provider_id AND p.uscc = :provider
INNER JOIN party AS c ON c.party_id = i.company_id
INNER JOIN seal AS s ON s.act_id = i.act_id AND s.no <= CAST(:cutoff AS bigint)
LEFT JOIN party_name_at(CAST(:cutoff AS bigint)) AS n ON n.party_id = i.company_id
LEFT JOIN granted_at(CAST(:cutoff AS bigint)) AS g ON g.company_id = i.company_id AND g.invoice_id = i.invoice_id
WHERE i.received_on <@ daterange(CAST(:period_from AS date), CAST(:period_until AS date))
ORDER BY s.accepted_before + i.place
