-- report: 兑付漏斗
-- grain:  one row per step from the upload to the payment, of the uploads handed in during the period
-- params: period_from, period_until (exclusive), cutoff (seal number)
-- source: DESIGN 1, the walk
-- basis:  金额不含税；上传按申报日归入本期，其后各步为这些上传的发票截至截止号
-- note:   受理只计蓝字发票，不减红字，所以不含税金额可以大于登记簿和绩效表的合计。
-- note:   核定为扣除追回后的净额，净额为零的不计；已付为受理的发票已付出的金额，含其后应由企业退回的，所以可以多于核定。
-- sums:   none
-- chart:  bar | 上传到拨付 | step | invoices
-- columns:
--   step        | 环节 | text | 16
--   invoices    | 张数或行数 | count | 12
--   net_fen     | 不含税金额 | money | 18
--   granted_fen | 补贴额 | money | 18
WITH handed AS (
    SELECT u.upload_id, u.rows
    FROM upload AS u
    INNER JOIN seal AS s ON s.act_id = u.upload_id AND s.no <= CAST(:cutoff AS bigint)
    WHERE u.holds = 'invoices' AND u.received_on <@ daterange(CAST(:period_from AS date), CAST(:period_until AS date))
),

taken AS (
    SELECT DISTINCT i.company_id, i.invoice_id, i.net_fen
    FROM handed AS h
    INNER JOIN invoice_line AS n ON n.upload_id = h.upload_id
    INNER JOIN invoice AS i ON i.company_id = n.company_id AND i.invoice_id = n.invoice_id
    INNER JOIN seal AS s ON s.act_id = i.act_id
    WHERE s.no <= CAST(:cutoff AS bigint) AND i.kind = 'blue'
),

granted AS (
    SELECT t.company_id, t.invoice_id, t.net_fen, sum(l.granted_fen) AS fen
    FROM taken AS t
    INNER JOIN run_line AS l ON l.company_id = t.company_id AND l.invoice_id = t.invoice_id
    INNER JOIN approved_at(CAST(:cutoff AS bigint)) AS r ON r.run_id = l.run_id
    GROUP BY t.company_id, t.invoice_id, t.net_fen
    HAVING sum(l.granted_fen) > 0
),

paid AS (
    SELECT t.company_id, t.invoice_id, t.net_fen, sum(l.amount_fen) AS fen
    FROM taken AS t
    INNER JOIN run_line AS r ON r.company_id = t.company_id AND r.invoice_id = t.invoice_id
    INNER JOIN payment_line AS l ON l.company_id = r.company_id AND l.run_id = r.run_id AND l.line_no = r.line_no
    INNER JOIN payment_at(CAST(:cutoff AS bigint)) AS p ON p.payment_id = l.payment_id AND p.state = 'paid'
    GROUP BY t.company_id, t.invoice_id, t.net_fen
)

SELECT x.step, x.invoices, x.net_fen, x.granted_fen
FROM (
    SELECT 1 AS place, '上传（行）' AS step, coalesce(sum(h.rows), 0) AS invoices,
        CAST(NULL AS numeric) AS net_fen, CAST(NULL AS numeric) AS granted_fen
    FROM handed AS h
    UNION ALL
    SELECT 2, '受理（张）', count(*), coalesce(sum(t.net_fen), 0), NULL FROM taken AS t
    UNION ALL
    SELECT 3, '核定（张）', count(*), coalesce(sum(g.net_fen), 0), coalesce(sum(g.fen), 0) FROM granted AS g
    UNION ALL
    SELECT 4, '已付（张）', count(*), coalesce(sum(p.net_fen), 0), coalesce(sum(p.fen), 0) FROM paid AS p
) AS x
ORDER BY x.place
