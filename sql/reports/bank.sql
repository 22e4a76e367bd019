-- report: 支付对账
-- grain:  one row per payment sent in the period with the line it was matched with, and per other line of it
-- params: period_from, period_until (exclusive), cutoff (seal number), tolerance_fen, days
-- source: DESIGN 1, reconcile
-- basis:  付款为补贴额；按批准拨付之日或入账日归入本期；匹配规则：付款编号、金额与户名、整批或同一收款方合计
-- note:   银行自批准拨付起{days}天以内入账的才匹配，金额最多相差{tolerance}元；按付款编号匹配的不限天数。
-- note:   一行对账单对应几笔付款的，收支金额只列在第一笔，不重复计。退回而对账单上没有出入的付款不必匹配；有支出的，须有退回的收入。账龄算到已导入对账单的最后一天。
-- columns:
--   reference  | 付款编号 | id | 16
--   name       | 户名 | text | 28
--   sent_on    | 批准日 | day | 11
--   paid_fen   | 付款金额 | money | 15
--   state      | 台账状态 | text | 9
--   way        | 匹配方式 | text | 14
--   line       | 对账单行 | id | 12
--   booked_on  | 入账日 | day | 11
--   booked_fen | 支出金额 | money | 15
--   back_fen   | 收入金额 | money | 15
--   age        | 未匹配账龄 | text | 12
WITH asked AS (
    SELECT
        CAST(:period_from AS date) AS from_on, CAST(:period_until AS date) AS until_on,
        CAST(:cutoff AS bigint) AS cutoff
),

-- first: of the payments of a line, whatever their periods, the one that its amount stands with
matched AS MATERIALIZED (
    SELECT m.*, row_number() OVER (PARTITION BY m.statement_id, m.row_no ORDER BY m.payment_id) = 1 AS first
    FROM bank_match_at(CAST(:cutoff AS bigint), CAST(:tolerance_fen AS bigint), CAST(:days AS integer)) AS m
),

back AS MATERIALIZED (
    SELECT
        r.statement_id, r.row_no, r.payment_id, -l.amount_fen AS fen,
        row_number() OVER (PARTITION BY r.statement_id, r.row_no ORDER BY r.payment_id) = 1 AS first
    FROM asked AS q
    CROSS JOIN LATERAL bank_return_at(q.cutoff) AS r
    INNER JOIN bank_line AS l ON l.statement_id = r.statement_id AND l.row_no = r.row_no
),

shown AS (
    SELECT
        p.payment_id, p.reference, b.holder AS name, p.sent_on, p.amount_fen AS paid_fen, p.state, m.way,
        l.statement_id, l.row_no, l.booked_on,
        CASE WHEN m.first THEN l.amount_fen END AS booked_fen, CASE WHEN r.first THEN r.fen END AS back_fen,
        r.fen IS NOT NULL AS came_back
    FROM asked AS q
    INNER JOIN payment_at(CAST(:cutoff AS bigint)) AS p
        ON p.sent_on >= q.from_on AND p.sent_on < q.until_on AND p.state IN ('in_transit', 'paid', 'returned')
    INNER JOIN payment AS y ON y.payment_id = p.payment_id
    INNER JOIN bank_account AS b ON b.act_id = y.account_act_id AND b.row_no = y.account_row_no
    LEFT JOIN matched AS m ON m.payment_id = p.payment_id
    LEFT JOIN bank_line AS l ON l.statement_id = m.statement_id AND l.row_no = m.row_no
    LEFT JOIN back AS r ON r.payment_id = p.payment_id
    UNION ALL
    SELECT
        NULL, NULL, l.name, NULL, NULL, NULL, coalesce(m.way, CASE WHEN r.row_no IS NOT NULL THEN 'other' END),
        l.statement_id, l.row_no, l.booked_on, CASE WHEN l.amount_fen > 0 THEN l.amount_fen END,
        CASE WHEN l.amount_fen < 0 THEN -l.amount_fen END, FALSE
    FROM asked AS q
    INNER JOIN bank_line AS l ON l.booked_on >= q.from_on AND l.booked_on < q.until_on
    INNER JOIN seal AS s ON s.act_id = l.statement_id AND s.no <= q.cutoff
    LEFT JOIN matched AS m ON m.statement_id = l.statement_id AND m.row_no = l.row_no
    LEFT JOIN back AS r ON r.statement_id = l.statement_id AND r.row_no = l.row_no
    WHERE m.payment_id IS NULL AND r.payment_id IS NULL
),

until AS (
    SELECT max(l.booked_on) AS until_on
    FROM asked AS q
    CROSS JOIN bank_line AS l
    INNER JOIN seal AS s ON s.act_id = l.statement_id AND s.no <= q.cutoff
)

SELECT
    x.reference, x.name, x.sent_on, x.paid_fen,
    CASE x.state WHEN 'paid' THEN '已付' WHEN 'returned' THEN '退回' WHEN 'in_transit' THEN '在途' ELSE '无' END AS state,
    CASE x.way
        WHEN 'hand' THEN CASE WHEN x.reference IS NULL THEN '人工：非本系统' ELSE '人工' END
        WHEN 'reference' THEN '付款编号' WHEN 'amount' THEN '金额与户名' WHEN 'batch' THEN '整批合计'
        WHEN 'payee' THEN '收款方合计' WHEN 'other' THEN '追回款或其他'
        ELSE CASE x.state WHEN 'returned' THEN '退回未入账' ELSE '未匹配' END
    END AS way,
    x.statement_id || ':' || x.row_no AS line, x.booked_on, x.booked_fen, x.back_fen,
    CASE
        WHEN u.until_on IS NULL OR CASE x.state
            WHEN 'returned' THEN x.way IS NULL OR x.came_back ELSE x.way IS NOT NULL
        END THEN ''
        WHEN u.until_on - coalesce(x.sent_on, x.booked_on) > 90 THEN '90天以上'
        WHEN u.until_on - coalesce(x.sent_on, x.booked_on) > 30 THEN '31至90天'
        WHEN u.until_on - coalesce(x.sent_on, x.booked_on) > 7 THEN '8至30天'
        ELSE '7天以内'
    END AS age
FROM shown AS x
CROSS JOIN until AS u
ORDER BY x.reference IS NULL, coalesce(x.sent_on, x.booked_on), x.payment_id, x.statement_id, x.row_no
