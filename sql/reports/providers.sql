-- report: 供给方结算表
-- grain:  one row per provider with invoices accepted in the period
-- params: period_from, period_until (exclusive), cutoff (seal number)
-- source: DESIGN 1; concentration is the share of its largest customer
-- basis:  金额不含税，红字冲减在内；按受理日归入本期，补贴额为这些发票截至截止号的核定净额
-- note:   红字率为红字张数与蓝字张数之比；集中度为最大客户金额占该服务商净额之比；客户数相加会重复计同一企业。
-- chart:  pie | 服务商份额 | provider_name | net_fen
-- columns:
--   provider_name | 服务商 | text | 30
--   invoices      | 蓝字张数 | count | 8
--   reds          | 红字张数 | count | 8
--   red_bp        | 红字率 | percent | 9
--   net_fen       | 净额 | money | 16
--   share_bp      | 占全部 | percent | 9
--   customers     | 客户数 | count | 8
--   largest_name  | 最大客户 | text | 28
--   largest_bp    | 集中度 | percent | 9
--   granted_fen   | 核定补贴额 | money | 15
--   provider_code | 服务商代码 | id | 20
WITH pair AS (
    SELECT
        t.provider_id, t.company_id, count(*) FILTER (WHERE t.kind = 'blue') AS invoices,
        count(*) FILTER (WHERE t.kind = 'red') AS reds, sum(t.net_fen) AS net_fen,
        coalesce(sum(g.fen), 0) AS granted_fen
    FROM invoice_at(CAST(:cutoff AS bigint)) AS t
    LEFT JOIN granted_at(CAST(:cutoff AS bigint)) AS g ON g.company_id = t.company_id AND g.invoice_id = t.invoice_id
    WHERE t.taken_on <@ daterange(CAST(:period_from AS date), CAST(:period_until AS date))
    GROUP BY t.provider_id, t.company_id
)

SELECT
    n.name AS provider_name, sum(p.invoices) AS invoices, sum(p.reds) AS reds,
    CASE WHEN sum(p.invoices) > 0 THEN div(sum(p.reds) * 10000, sum(p.invoices)) END AS red_bp,
    sum(p.net_fen) AS net_fen,
    CASE
        WHEN sum(sum(p.net_fen)) OVER () > 0 THEN div(sum(p.net_fen) * 10000, sum(sum(p.net_fen)) OVER ())
    END AS share_bp,
    count(*) AS customers, (array_agg(c.name ORDER BY p.net_fen DESC, c.uscc))[1] AS largest_name,
    CASE WHEN sum(p.net_fen) > 0 THEN div(max(p.net_fen) * 10000, sum(p.net_fen)) END AS largest_bp,
    sum(p.granted_fen) AS granted_fen, n.uscc AS provider_code
FROM pair AS p
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS n ON n.party_id = p.provider_id
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS c ON c.party_id = p.company_id
GROUP BY n.name, n.uscc
ORDER BY sum(p.net_fen) DESC, n.uscc
