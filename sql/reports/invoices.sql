-- report: 发票使用登记簿
-- grain:  one row per invoice accepted in the period
-- params: period_from, period_until (exclusive), cutoff (seal number)
-- source: DESIGN 7, one number is one invoice
-- basis:  补贴按不含税金额核定；按受理日归入本期，核定额截至截止号
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
WITH asked AS (
    SELECT
        CAST(:period_from AS date) AS from_on, CAST(:period_until AS date) AS until_on,
        CAST(:cutoff AS bigint) AS cutoff
),

granted AS (
    SELECT l.company_id, l.invoice_id, sum(l.granted_fen) AS fen
    FROM asked AS q
    CROSS JOIN run AS r
    INNER JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'
    INNER JOIN seal AS s ON s.act_id = d.act_id AND s.no <= q.cutoff
    INNER JOIN run_line AS l ON l.run_id = r.run_id
    GROUP BY l.company_id, l.invoice_id
),

paid AS (
    SELECT r.company_id, r.invoice_id, sum(l.amount_fen) AS fen
    FROM payment_at(CAST(:cutoff AS bigint)) AS p
    INNER JOIN payment_line AS l ON l.payment_id = p.payment_id
    INNER JOIN run_line AS r ON r.company_id = l.company_id AND r.run_id = l.run_id AND r.line_no = l.line_no
    WHERE p.state = 'paid'
    GROUP BY r.company_id, r.invoice_id
),

named AS (
    SELECT p.party_id, p.uscc, coalesce(n.name, p.uscc) AS name
    FROM party AS p
    LEFT JOIN party_name_at(CAST(:cutoff AS bigint)) AS n ON n.party_id = p.party_id
)

SELECT
    s.accepted_before + i.place || '' AS accepted_no, i.number AS invoice_number,
    CASE i.kind WHEN 'red' THEN '红字' ELSE '蓝字' END AS kind, i.original_number, c.name AS company_name,
    n.name AS provider_name, i.issued_on, t.effective_on AS taken_on, i.net_fen, i.tax_fen, i.gross_fen,
    coalesce(g.fen, 0) AS granted_fen, coalesce(p.fen, 0) AS paid_fen
FROM asked AS q
CROSS JOIN invoice AS i
INNER JOIN seal AS s ON s.act_id = i.act_id AND s.no <= q.cutoff
INNER JOIN act AS t ON t.act_id = i.act_id AND t.effective_on >= q.from_on AND t.effective_on < q.until_on
INNER JOIN named AS c ON c.party_id = i.company_id
INNER JOIN named AS n ON n.party_id = i.provider_id
LEFT JOIN granted AS g ON g.company_id = i.company_id AND g.invoice_id = i.invoice_id
LEFT JOIN paid AS p ON p.company_id = i.company_id AND p.invoice_id = i.invoice_id
ORDER BY s.accepted_before + i.place
