-- check:  a payment is the sum of its lines, a batch that of its payments; what a batch sent of each line was booked by
--         its approval, and nothing is under way or paid of a line beyond what was granted; a payment goes to an
--         account of the company of its lines, or of one that it was merged into
-- title:  拨付与结算行、转账一致
-- grain:  one row per payment, batch or line that differs; no rows means all is well
-- params: none
-- source: DESIGN 5 and 6.9
WITH RECURSIVE heir AS (
    SELECT m.absorbed_id AS company_id, m.survivor_id AS payee_id FROM merger AS m
    UNION ALL
    SELECT h.company_id, m.survivor_id FROM heir AS h INNER JOIN merger AS m ON m.absorbed_id = h.payee_id
),

state AS (
    SELECT p.* FROM payment_at(9223372036854775807) AS p
),

summed AS (
    SELECT l.payment_id, sum(l.amount_fen) AS fen FROM payment_line AS l GROUP BY l.payment_id
),

sent AS (
    SELECT
        l.company_id, l.run_id, l.line_no, p.batch_id, l.amount_fen, p.state, b.act_id AS batch_act_id,
        d.act_id AS approval_act_id
    FROM payment_line AS l
    INNER JOIN state AS p ON p.payment_id = l.payment_id
    INNER JOIN payment_batch AS b ON b.batch_id = p.batch_id
    LEFT JOIN decision AS d ON d.proposal_act_id = b.batch_id AND d.verdict = 'approved'
),

booked AS (
    SELECT t.act_id, t.company_id, t.run_id, t.line_no, sum(t.amount_fen) AS fen
    FROM transfer AS t
    INNER JOIN account AS d ON d.account_id = t.debit_account_id AND d.kind = 'payable'
    INNER JOIN account AS c ON c.account_id = t.credit_account_id AND c.kind = 'in_transit'
    GROUP BY t.act_id, t.company_id, t.run_id, t.line_no
),

wrong AS (
    SELECT
        p.batch_id AS act_id, p.reference AS subject,
        format('付款%s元，所付结算行合计%s元。', round(p.amount_fen / 100.0, 2), round(coalesce(s.fen, 0) / 100.0, 2))
            AS detail
    FROM state AS p
    LEFT JOIN summed AS s ON s.payment_id = p.payment_id
    WHERE p.amount_fen <> coalesce(s.fen, 0)
    UNION ALL
    SELECT
        b.act_id, '拨付批次 ' || b.batch_id,
        format(
            '批次登记%s笔%s元，实有%s笔%s元。', b.payments, round(b.amount_fen / 100.0, 2), count(p.payment_id),
            round(coalesce(sum(p.amount_fen), 0) / 100.0, 2)
        )
    FROM payment_batch AS b
    LEFT JOIN payment AS p ON p.batch_id = b.batch_id
    GROUP BY b.batch_id, b.act_id, b.payments, b.amount_fen
    HAVING b.payments <> count(p.payment_id) OR b.amount_fen <> coalesce(sum(p.amount_fen), 0)
    UNION ALL
    SELECT
        coalesce(act_id, s.batch_act_id), concat_ws(' / ', run_id, line_no),
        format(
            '拨付批次记为%s元，批准时记账%s元。', round(coalesce(s.amount_fen, 0) / 100.0, 2),
            round(coalesce(k.fen, 0) / 100.0, 2)
        )
    FROM (
        SELECT e.*, e.approval_act_id AS act_id FROM sent AS e WHERE e.state NOT IN ('proposed', 'dropped')
    ) AS s
    FULL JOIN booked AS k USING (act_id, company_id, run_id, line_no)
    WHERE coalesce(s.amount_fen, 0) <> coalesce(k.fen, 0)
    UNION ALL
    SELECT
        max(s.batch_act_id), concat_ws(' / ', s.run_id, s.line_no),
        format('核定%s元，在途与已付合计%s元。', round(l.granted_fen / 100.0, 2), round(sum(s.amount_fen) / 100.0, 2))
    FROM sent AS s
    INNER JOIN run_line AS l ON l.company_id = s.company_id AND l.run_id = s.run_id AND l.line_no = s.line_no
    WHERE s.state IN ('in_transit', 'paid')
    GROUP BY s.run_id, s.line_no, l.granted_fen
    HAVING sum(s.amount_fen) > l.granted_fen
    UNION ALL
    SELECT DISTINCT p.batch_id, p.reference, '收款账户既不属于结算行的企业，也不属于承继它的企业。'
    FROM payment AS p
    INNER JOIN payment_line AS l ON l.payment_id = p.payment_id
    INNER JOIN bank_account AS b ON b.act_id = p.account_act_id AND b.row_no = p.account_row_no
    LEFT JOIN heir AS h ON h.company_id = l.company_id AND h.payee_id = p.payee_id
    WHERE b.company_id <> p.payee_id OR (l.company_id <> p.payee_id AND h.payee_id IS NULL)
)

SELECT e.no AS act_no, w.subject, w.detail
FROM wrong AS w
LEFT JOIN seal AS e ON e.act_id = w.act_id
ORDER BY e.no, w.subject, w.detail
