-- report: 发票使用登记簿
-- grain:  one row per invoice accepted in the period
-- params: period_from, period_until (exclusive), cutoff (seal number)
-- source: DESIGN 7, one number is one invoice
-- basis:  补贴按不含税金额核定；按受理日归入本期，核定额截至截止号
-- note:   已核定补贴为扣除追回后的净额；已付补贴为已付出的金额，其中应由企业退回的见追回台账。
-- columns:
--   accepted_no     | 受理号 | text | 8
--   invoice_number  | 发票号码 | id | 22
--   kind            | 类型 | text | 6
--   original_number | 原发票号码 | id | 22
--   company_name    | 用方 | text | 26
--   provider_name   | 供方 | text | 24
--   issued_on       | 开票日 | day | 11
--   taken_on        | 受理日 | day | 11
--   net_fen         | 不含税金额 | money | 14
--   tax_fen         | 税额 | money | 12
--   gross_fen       | 价税合计 | money | 14
--   granted_fen     | 已核定补贴 | money | 13
--   paid_fen        | 已付补贴 | money | 13
WITH paid AS (
    SELECT r.company_id, r.invoice_id, sum(l.amount_fen) AS fen
    FROM payment_at(CAST(:cutoff AS bigint)) AS p
    INNER JOIN payment_line AS l ON l.payment_id = p.payment_id
    INNER JOIN run_line AS r ON r.company_id = l.company_id AND r.run_id = l.run_id AND r.line_no = l.line_no
    WHERE p.state = 'paid'
    GROUP BY r.company_id, r.invoice_id
)

SELECT
    i.accepted_no || '' AS accepted_no, i.number AS invoice_number,
    CASE i.kind WHEN 'red' THEN '红字' ELSE '蓝字' END AS kind, i.original_number, c.name AS company_name,
    n.name AS provider_name, i.issued_on, i.taken_on, i.net_fen, i.tax_fen, i.gross_fen,
    coalesce(g.fen, 0) AS granted_fen, coalesce(p.fen, 0) AS paid_fen
FROM invoice_at(CAST(:cutoff AS bigint)) AS i
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS c ON c.party_id = i.company_id
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS n ON n.party_id = i.provider_id
LEFT JOIN granted_at(CAST(:cutoff AS bigint)) AS g ON g.company_id = i.company_id AND g.invoice_id = i.invoice_id
LEFT JOIN paid AS p ON p.company_id = i.company_id AND p.invoice_id = i.invoice_id
WHERE i.taken_on <@ daterange(CAST(:period_from AS date), CAST(:period_until AS date))
ORDER BY i.accepted_no
