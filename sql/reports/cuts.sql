-- report: 不予支持及核减清单
-- grain:  one row per reason of each line approved in the period, and per invoice refused at the door in it
-- params: period_from, period_until (exclusive), cutoff (seal number)
-- source: DESIGN 1, the reason; DESIGN 7
-- basis:  金额不含税；核减按批准日、未受理按申报日归入本期
-- note:   环节为核定的，涉及金额是该事由不计入或核减的金额；退回、待核、冲突的列出上传方名称和第一条原因。
-- columns:
--   company_name   | 企业 | text | 26
--   invoice_number | 发票号码 | id | 22
--   stage          | 环节 | text | 8
--   cut_fen        | 涉及金额 | money | 14
--   reasons        | 事由 | reasons | 80
--   company_code   | 企业代码 | id | 20
SELECT
    c.name AS company_name, i.number AS invoice_number, '核定' AS stage,
    CAST(e.reason ->> 'amount_fen' AS bigint) AS cut_fen, CAST(jsonb_build_array(e.reason) AS text) AS reasons,
    c.uscc AS company_code
FROM approved_at(CAST(:cutoff AS bigint)) AS a
INNER JOIN run_line AS l ON l.run_id = a.run_id
CROSS JOIN LATERAL jsonb_array_elements(l.reasons) AS e (reason)
INNER JOIN invoice AS i ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS c ON c.party_id = l.company_id
WHERE a.approved_on <@ daterange(CAST(:period_from AS date), CAST(:period_until AS date))
UNION ALL
SELECT
    coalesce(h.name, ''), r.invoice_number,
    CASE r.outcome WHEN 'held' THEN '待核' WHEN 'conflict' THEN '冲突' ELSE '退回' END, NULL, min(p.message), ''
FROM upload AS u
INNER JOIN seal AS s ON s.act_id = u.upload_id AND s.no <= CAST(:cutoff AS bigint)
INNER JOIN upload_row AS r ON r.upload_id = u.upload_id AND r.outcome <> 'duplicate'
LEFT JOIN upload_problem AS p
    ON p.upload_id = r.upload_id AND p.sheet = r.sheet AND p.row_no = r.row_no AND p.severity = 'error'
LEFT JOIN party_at(CAST(:cutoff AS bigint)) AS h ON h.uscc = u.provider_uscc
WHERE u.holds = 'invoices' AND u.received_on <@ daterange(CAST(:period_from AS date), CAST(:period_until AS date))
GROUP BY h.name, u.upload_id, r.sheet, r.row_no, r.invoice_number, r.outcome
ORDER BY stage, company_name, invoice_number, reasons
