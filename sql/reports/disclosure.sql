-- report: 公示表
-- grain:  one row per run, company and cap year of the runs disclosed in the period
-- params: period_from, period_until (exclusive), cutoff (seal number)
-- source: DESIGN 6.9, 公示
-- basis:  计入基数为不含税算力服务金额；按公示起始日归入本期；不含账号与证照号码
-- note:   只列补贴额不为零的发票，张数和基数因此少于兑付核定明细。补付、追回的发票，基数已随原批次公示，不再计入；追回以负数计入拟补贴额。
-- note:   公示期内有异议的，请书面向主管部门反映；异议只暂停所涉发票的拨付。
-- columns:
--   run_id       | 批次 | text | 8
--   company_name | 企业名称 | text | 36
--   cap_year     | 年度 | text | 8
--   invoices     | 发票张数 | count | 10
--   basis_fen    | 计入基数 | money | 18
--   granted_fen  | 拟补贴额 | money | 18
--   from_on      | 公示起 | day | 12
--   until_on     | 公示止 | day | 12
SELECT
    r.run_id || '' AS run_id, c.name AS company_name, l.cap_year || '' AS cap_year,
    count(DISTINCT l.invoice_id) AS invoices,
    coalesce(sum(l.basis_fen) FILTER (WHERE l.kind = 'grant'), 0) AS basis_fen, sum(l.granted_fen) AS granted_fen,
    x.from_on, x.until_on
FROM disclosure AS x
INNER JOIN seal AS s ON s.act_id = x.act_id AND s.no <= CAST(:cutoff AS bigint)
INNER JOIN run AS r ON r.run_id = x.run_id
INNER JOIN run_line AS l ON l.run_id = r.run_id AND l.granted_fen <> 0
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS c ON c.party_id = l.company_id
WHERE x.from_on <@ daterange(CAST(:period_from AS date), CAST(:period_until AS date))
GROUP BY r.run_id, l.company_id, c.name, l.cap_year, x.from_on, x.until_on
ORDER BY r.run_id, c.name, l.company_id, l.cap_year
