-- report: 年度决算表
-- grain:  one row per programme of the fiscal year of the period
-- params: period_from, cutoff (seal number)
-- source: DESIGN 5, money; each line keeps its fiscal year
-- basis:  补贴额按不含税金额核定；按结算行所属财政年度，截至截止号
-- checks: all
-- note:   指标的下达、余额与缴回见预算执行与预测。追回按追回所在批次的财政年度列示，资金从原核定批次所属年度的应付、在途、已付中减去；跨年追回的，各年净核定与这几项之和因此有差。
-- note:   银行退回付款之前企业已自行退回的追回款，须再付给企业：计入应付、在途、已付，不占指标，也不计入核定。
-- chart:  column | 年度决算 | programme_name | granted_fen, payable_fen, in_transit_fen, paid_fen
-- columns:
--   programme_name  | 事项 | text | 27
--   granted_fen     | 核定补贴 | money | 16
--   backfill_fen    | 补付 | money | 15
--   recovered_fen   | 追回 | money | 15
--   net_fen         | 净核定 | money | 16
--   payable_fen     | 应付未付 | money | 15
--   in_transit_fen  | 在途 | money | 15
--   paid_fen        | 已付 | money | 16
--   recoverable_fen | 待企业退回 | money | 15
WITH settled AS (
    SELECT
        r.programme_id, sum(l.granted_fen) FILTER (WHERE l.kind = 'grant') AS granted_fen,
        sum(l.granted_fen) FILTER (WHERE l.kind = 'backfill') AS backfill_fen,
        -sum(l.granted_fen) FILTER (WHERE l.kind = 'recovery') AS recovered_fen, sum(l.granted_fen) AS net_fen
    FROM approved_at(CAST(:cutoff AS bigint)) AS r
    INNER JOIN run_line AS l ON l.run_id = r.run_id
    WHERE r.fiscal_year = extract(YEAR FROM CAST(:period_from AS date))
    GROUP BY r.programme_id
),

held AS (
    SELECT
        r.programme_id, sum(m.fen) FILTER (WHERE a.kind = 'payable') AS payable_fen,
        sum(m.fen) FILTER (WHERE a.kind = 'in_transit') AS in_transit_fen,
        sum(m.fen) FILTER (WHERE a.kind = 'paid') AS paid_fen,
        sum(m.fen) FILTER (WHERE a.kind = 'recoverable') AS recoverable_fen
    FROM run AS r
    INNER JOIN moved_at(CAST(:cutoff AS bigint)) AS m ON m.run_id = r.run_id
    INNER JOIN account AS a
        ON a.account_id = m.account_id AND a.kind IN ('payable', 'in_transit', 'paid', 'recoverable')
    WHERE r.fiscal_year = extract(YEAR FROM CAST(:period_from AS date))
    GROUP BY r.programme_id
)

SELECT
    g.name AS programme_name, coalesce(s.granted_fen, 0) AS granted_fen, coalesce(s.backfill_fen, 0) AS backfill_fen,
    coalesce(s.recovered_fen, 0) AS recovered_fen, s.net_fen, coalesce(h.payable_fen, 0) AS payable_fen,
    coalesce(h.in_transit_fen, 0) AS in_transit_fen, coalesce(h.paid_fen, 0) AS paid_fen,
    coalesce(h.recoverable_fen, 0) AS recoverable_fen
FROM settled AS s
INNER JOIN programme_at(CAST(:cutoff AS bigint)) AS g ON g.programme_id = s.programme_id
LEFT JOIN held AS h ON h.programme_id = s.programme_id
ORDER BY s.programme_id
