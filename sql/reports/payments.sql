-- report: 资金拨付清单
-- grain:  one row per payment of the batches approved in the period
-- params: period_from, period_until (exclusive), cutoff (seal number)
-- source: DESIGN 5 and 6.9
-- basis:  补贴额按不含税金额核定；按批准拨付之日归入本期，状态截至截止号；账号只列末四位
-- note:   金额合计是送交银行的各笔之和，含后来退回的；退回后重新拨付的另列一笔。
-- note:   被合并企业的补贴由存续企业承继（公司法第二百二十一条），付入存续企业的账户，并注明“承继”及原企业。
-- columns:
--   reference      | 付款编号 | id | 16
--   payee_name     | 收款企业 | text | 28
--   holder         | 户名 | text | 26
--   bank           | 开户银行 | text | 24
--   account_last4  | 账号末四位 | id | 9
--   amount_fen     | 金额 | money | 15
--   capitals_fen   | 大写金额 | capitals | 36
--   sent_on        | 批准日 | day | 11
--   state          | 状态 | text | 7
--   happened_on    | 结果日 | day | 11
--   bank_reference | 银行流水号 | id | 18
--   reason         | 退回原因 | text | 22
WITH known AS (
    SELECT DISTINCT ON (r.payment_id) r.payment_id, r.happened_on, r.bank_reference, r.reason
    FROM payment_result AS r
    INNER JOIN seal AS s ON s.act_id = r.act_id
    WHERE s.no <= CAST(:cutoff AS bigint)
    ORDER BY r.payment_id, r.step DESC
),

inherited AS (
    SELECT y.payment_id, string_agg(DISTINCT c.name, '、') AS succeeds
    FROM payment AS y
    INNER JOIN payment_line AS i ON i.payment_id = y.payment_id AND i.company_id <> y.payee_id
    INNER JOIN party_at(CAST(:cutoff AS bigint)) AS c ON c.party_id = i.company_id
    GROUP BY y.payment_id
)

SELECT
    p.reference, c.name || coalesce('（承继' || l.succeeds || '）', '') AS payee_name, b.holder,
    b.bank, b.account_last4, p.amount_fen, p.amount_fen AS capitals_fen,
    p.sent_on, CASE p.state WHEN 'paid' THEN '已付' WHEN 'returned' THEN '退回' ELSE '在途' END AS state,
    k.happened_on, k.bank_reference, k.reason
FROM payment_at(CAST(:cutoff AS bigint)) AS p
INNER JOIN payment AS y ON y.payment_id = p.payment_id
INNER JOIN bank_account AS b ON b.act_id = y.account_act_id AND b.row_no = y.account_row_no
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS c ON c.party_id = p.payee_id
LEFT JOIN known AS k ON k.payment_id = p.payment_id
LEFT JOIN inherited AS l ON l.payment_id = p.payment_id
WHERE
    p.sent_on <@ daterange(CAST(:period_from AS date), CAST(:period_until AS date))
    AND p.state IN ('in_transit', 'paid', 'returned')
ORDER BY p.batch_id, y.payment_no
