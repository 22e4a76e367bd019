-- check:  what was reported paid stands in the bank's statements, and every outgoing line of them is a payment of ours
--         or was said to be none; a reference that agrees has the amount that agrees; what left and is said to have
--         been returned came back, and what a person said came back is said to have been returned; what came in once
--         is not both a payment returned and money that a company paid back, and what was paid back by a transfer is
--         not more than came in by it
-- title:  拨付与银行对账单一致
-- grain:  one row per payment or line that has no counterpart so many days on; no rows means all is well
-- params: days, tolerance_fen
-- source: DESIGN 1, reconcile; days are counted up to the last day of all statements, so nothing differs before any
WITH matched AS MATERIALIZED (
    SELECT m.* FROM bank_match_at(9223372036854775807, CAST(:tolerance_fen AS bigint), CAST(:days AS integer)) AS m
),

returned AS MATERIALIZED (
    SELECT r.* FROM bank_return_at(9223372036854775807) AS r
),

repaid AS (
    SELECT
        CAST(p.payload AS jsonb) ->> 'reference' AS serial, max(d.act_id) AS act_id,
        sum(CAST(CAST(p.payload AS jsonb) ->> 'amount_fen' AS bigint)) AS fen
    FROM proposal AS p
    INNER JOIN decision AS d ON d.proposal_act_id = p.act_id AND d.verdict = 'approved'
    WHERE p.kind = 'recovery_return'
    GROUP BY CAST(p.payload AS jsonb) ->> 'reference'
),

until AS (
    SELECT max(l.booked_on) - CAST(:days AS integer) AS until_on FROM bank_line AS l
),

wrong AS (
    SELECT
        r.act_id, p.reference AS subject,
        format('登记于%s已付%s元，银行对账单中没有对应的支出。', r.happened_on, round(p.amount_fen / 100.0, 2)) AS detail
    FROM payment_at(9223372036854775807) AS p
    INNER JOIN payment_result AS r ON r.payment_id = p.payment_id AND r.step = p.step AND r.state = 'paid'
    INNER JOIN until AS u ON r.happened_on <= u.until_on
    LEFT JOIN matched AS m ON m.payment_id = p.payment_id
    WHERE m.way IS NULL
    UNION ALL
    SELECT r.act_id, y.reference, format(
        '登记于%s退回%s元，银行对账单有这笔支出（%s:%s），没有退回的收入。',
        r.happened_on, round(y.amount_fen / 100.0, 2), l.statement_id, l.row_no
    )
    FROM payment_result AS r
    INNER JOIN payment AS y ON y.payment_id = r.payment_id
    INNER JOIN matched AS m ON m.payment_id = r.payment_id
    INNER JOIN bank_line AS l ON l.statement_id = m.statement_id AND l.row_no = m.row_no
    INNER JOIN until AS u ON r.happened_on <= u.until_on AND l.booked_on <= u.until_on
    LEFT JOIN returned AS c ON c.payment_id = r.payment_id
    WHERE r.state = 'returned' AND c.row_no IS NULL
    UNION ALL
    SELECT l.statement_id, p.reference, format(
        '银行对账单（%s:%s）的收入%s元人工匹配为这笔付款的退回，台账中尚未登记退回。',
        l.statement_id, l.row_no, round(-l.amount_fen / 100.0, 2)
    )
    FROM returned AS c
    INNER JOIN payment_at(9223372036854775807) AS p ON p.payment_id = c.payment_id AND p.state <> 'returned'
    INNER JOIN bank_line AS l ON l.statement_id = c.statement_id AND l.row_no = c.row_no
    INNER JOIN until AS u ON l.booked_on <= u.until_on
    UNION ALL
    SELECT
        l.statement_id, '对账单 ' || l.statement_id || ':' || l.row_no,
        CASE
            WHEN p.payment_id IS NOT NULL THEN format(
                '支出%s元，同一付款编号的付款为%s元。', round(l.amount_fen / 100.0, 2), round(p.amount_fen / 100.0, 2)
            )
            ELSE format(
                '%s向“%s”支出%s元，台账中没有对应的付款。', l.booked_on, l.name, round(l.amount_fen / 100.0, 2)
            )
        END
    FROM bank_line AS l
    INNER JOIN until AS u ON u.until_on IS NOT NULL
    LEFT JOIN matched AS m ON m.statement_id = l.statement_id AND m.row_no = l.row_no
    LEFT JOIN payment AS p
        ON p.reference = l.reference AND abs(p.amount_fen - l.amount_fen) > CAST(:tolerance_fen AS bigint)
    WHERE l.amount_fen > 0 AND m.way IS NULL AND (p.payment_id IS NOT NULL OR l.booked_on <= u.until_on)
    UNION ALL
    SELECT
        p.act_id, p.serial,
        format('登记为企业退回的%s元（流水号%s），', round(p.fen / 100.0, 2), p.serial)
        || CASE
            WHEN y.reference IS NOT NULL THEN format(
                '在银行对账单（%s:%s）中是付款%s的退回，同一笔收入不能登记两次。', l.statement_id, l.row_no, y.reference
            )
            ELSE format('银行对账单（%s:%s）这笔收入只有%s元。', l.statement_id, l.row_no, round(-l.amount_fen / 100.0, 2))
        END
    FROM repaid AS p
    INNER JOIN bank_line AS l ON l.serial = p.serial AND l.amount_fen < 0 AND -l.amount_fen <= p.fen
    LEFT JOIN returned AS r ON r.statement_id = l.statement_id AND r.row_no = l.row_no
    LEFT JOIN payment AS y ON y.payment_id = r.payment_id
    WHERE y.reference IS NOT NULL OR -l.amount_fen < p.fen
)

SELECT s.no AS act_no, w.subject, w.detail
FROM wrong AS w
LEFT JOIN seal AS s ON s.act_id = w.act_id
ORDER BY s.no, w.subject
