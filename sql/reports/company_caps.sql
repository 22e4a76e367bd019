-- report: 企业年度额度表
-- grain:  one row per programme, company and cap year with a voucher
-- params: period_from, period_until (exclusive), cutoff (seal number)
-- source: DESIGN 6.6, room
-- basis:  额度与补贴额按不含税金额核定；截至截止号
-- balance: cap_fen = granted_fen + left_fen
-- note:   上限核减为各张发票最近一次核定时仍未给的金额，其后补付或追回的已计入。年度额度不含已失效的部分。
-- chart:  stack | 企业年度额度使用 | company_name | granted_fen, left_fen
-- columns:
--   company_name   | 企业 | text | 28
--   programme_name | 事项 | text | 27
--   cap_year       | 年度 | text | 7
--   claims         | 核定发票张数 | count | 8
--   cap_fen        | 年度额度 | money | 14
--   granted_fen    | 已核定 | money | 14
--   withheld_fen   | 上限核减 | money | 14
--   left_fen       | 剩余额度 | money | 14
--   used_bp        | 使用率 | percent | 9
--   company_code   | 企业代码 | id | 20
WITH book AS (
    SELECT
        a.programme_id, a.company_id, a.year,
        sum(m.fen) AS cap_fen, coalesce(sum(m.fen) FILTER (WHERE a.kind = 'redeemed'), 0) AS granted_fen,
        coalesce(sum(m.fen) FILTER (WHERE a.kind = 'voucher'), 0) AS left_fen
    FROM moved_at(CAST(:cutoff AS bigint)) AS m
    INNER JOIN account AS a ON a.account_id = m.account_id AND a.kind IN ('voucher', 'redeemed')
    GROUP BY a.programme_id, a.company_id, a.year
),

-- what the last line of a claim says is what it is still short of
last AS (
    SELECT DISTINCT ON (s.programme_id, s.company_id, s.cap_year, s.invoice_id)
        s.programme_id, s.company_id, s.cap_year, s.withheld_fen
    FROM settled_at(CAST(:cutoff AS bigint)) AS s
    ORDER BY s.programme_id, s.company_id, s.cap_year, s.invoice_id, s.no DESC
),

claimed AS (
    SELECT l.programme_id, l.company_id, l.cap_year, count(*) AS claims, sum(l.withheld_fen) AS withheld_fen
    FROM last AS l
    GROUP BY l.programme_id, l.company_id, l.cap_year
)

SELECT
    c.name AS company_name, g.name AS programme_name, b.year || '' AS cap_year, coalesce(k.claims, 0) AS claims,
    b.cap_fen, b.granted_fen, coalesce(k.withheld_fen, 0) AS withheld_fen, b.left_fen,
    CASE WHEN b.cap_fen > 0 THEN div(b.granted_fen * 10000, b.cap_fen) END AS used_bp, c.uscc AS company_code
FROM book AS b
INNER JOIN programme_at(CAST(:cutoff AS bigint)) AS g ON g.programme_id = b.programme_id
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS c ON c.party_id = b.company_id
LEFT JOIN claimed AS k ON k.programme_id = b.programme_id AND k.company_id = b.company_id AND k.cap_year = b.year
WHERE
    b.year BETWEEN extract(YEAR FROM CAST(:period_from AS date))
    AND extract(YEAR FROM CAST(:period_until AS date) - 1)
ORDER BY b.programme_id, b.year, b.granted_fen DESC, c.uscc
