-- report: 兑付核定明细
-- grain:  one row per line of the runs approved in the period
-- params: period_from, period_until (exclusive), cutoff (seal number)
-- source: DESIGN 6.6 to 6.8
-- basis:  金额不含税；按批准日归入本期，一张发票在一个年度一行
-- sums:   granted_fen
-- note:   补贴行：计算额减三项核减等于核定补贴额；补付为正，追回为负。补付行、追回行的其他各项是同一发票当时的数，与原补贴行重复，所以只合计核定补贴额。
-- columns:
--   company_name    | 企业 | text | 26
--   invoice_number  | 发票号码 | id | 22
--   cap_year        | 年度 | text | 6
--   kind            | 种类 | text | 6
--   run_id          | 批次 | text | 6
--   approved_on     | 批准日 | day | 11
--   basis_fen       | 计入基数 | money | 14
--   computed_fen    | 计算额 | money | 13
--   overlap_cut_fen | 重复享受核减 | money | 12
--   withheld_fen    | 上限核减 | money | 12
--   budget_cut_fen  | 指标核减 | money | 12
--   granted_fen     | 核定补贴额 | money | 13
--   policy_ids      | 政策文件 | text | 18
--   reasons         | 事由 | reasons | 50
--   company_code    | 企业代码 | id | 20
SELECT
    c.name AS company_name, i.number AS invoice_number, l.cap_year || '' AS cap_year,
    CASE l.kind WHEN 'grant' THEN '补贴' WHEN 'backfill' THEN '补付' ELSE '追回' END AS kind, l.run_id || '' AS run_id,
    a.approved_on, l.basis_fen, l.computed_fen, l.overlap_cut_fen, l.withheld_fen, l.budget_cut_fen, l.granted_fen,
    array_to_string(l.policy_ids, '、') AS policy_ids, CAST(l.reasons AS text) AS reasons, c.uscc AS company_code
FROM approved_at(CAST(:cutoff AS bigint)) AS a
INNER JOIN run_line AS l ON l.run_id = a.run_id
INNER JOIN invoice AS i ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS c ON c.party_id = l.company_id
WHERE a.approved_on <@ daterange(CAST(:period_from AS date), CAST(:period_until AS date))
ORDER BY a.run_id, l.line_no
