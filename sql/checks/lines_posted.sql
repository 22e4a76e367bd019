-- check:  each approved line above zero has exactly its limit and its money transfer of that amount, between the
--         accounts of its company, year and fiscal year; a recovery moves as much back; no other line has any
-- title:  结算行与转账逐笔一致
-- grain:  one row per line that differs; no rows means all is well
-- params: none
-- source: DESIGN 5, transfer; later transfers of a line (its payment) belong to other acts
WITH approved AS (
    SELECT r.run_id, r.programme_id, r.fiscal_year, d.act_id, s.no
    FROM run AS r
    INNER JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'
    INNER JOIN seal AS s ON s.act_id = d.act_id
),

-- legs: 1 for each transfer that uses the company's limit, 10 for each that owes it money, 100 for each other
posted AS (
    SELECT
        t.company_id, t.run_id, t.line_no, count(*) AS transfers, min(t.amount_fen) AS least_fen,
        max(t.amount_fen) AS most_fen, min(c.year) AS first_year, max(c.year) AS last_year,
        sum(CASE
            WHEN d.kind = 'voucher' AND c.kind = 'redeemed'
                AND d.company_id = t.company_id AND c.company_id = t.company_id AND d.year = c.year
                AND d.programme_id = a.programme_id AND c.programme_id = a.programme_id THEN 1
            WHEN d.kind = 'appropriation' AND c.kind = 'payable' AND d.year = a.fiscal_year
                AND c.company_id = t.company_id THEN 10
            ELSE 100
        END) AS legs
    FROM approved AS a
    INNER JOIN transfer AS t ON t.act_id = a.act_id AND t.run_id = a.run_id
    INNER JOIN account AS d ON d.account_id = t.debit_account_id
    INNER JOIN account AS c ON c.account_id = t.credit_account_id
    GROUP BY t.company_id, t.run_id, t.line_no
),

recovered AS (
    SELECT
        l.company_id, l.run_id, l.line_no, count(t.act_id) AS transfers,
        sum(CASE
            WHEN d.kind = 'redeemed' AND c.kind IN ('voucher', 'lapsed') AND d.year = l.cap_year AND c.year = l.cap_year
                AND d.programme_id = a.programme_id AND c.programme_id = a.programme_id
                AND d.company_id = l.company_id AND c.company_id = l.company_id THEN t.amount_fen
        END) AS limit_fen,
        sum(CASE
            WHEN d.kind IN ('payable', 'in_transit', 'paid') AND d.company_id = l.company_id THEN t.amount_fen
        END) AS money_fen
    FROM approved AS a
    INNER JOIN run_line AS l ON l.run_id = a.run_id AND l.granted_fen < 0
    LEFT JOIN transfer AS t
        ON t.act_id = a.act_id AND t.company_id = l.company_id AND t.run_id = l.run_id AND t.line_no = l.line_no
    LEFT JOIN account AS d ON d.account_id = t.debit_account_id
    LEFT JOIN account AS c ON c.account_id = t.credit_account_id
    GROUP BY l.company_id, l.run_id, l.line_no
),

wrong AS (
    SELECT
        a.no, l.run_id, l.line_no, l.granted_fen,
        CASE
            WHEN p.transfers IS NULL THEN '没有转账'
            WHEN p.legs < 100 AND p.first_year = l.cap_year AND p.last_year = l.cap_year
                THEN format(
                    '有%s笔转账，金额%s元至%s元，应为额度、资金各一笔', p.transfers, round(p.least_fen / 100.0, 2),
                    round(p.most_fen / 100.0, 2)
                )
            ELSE format('有%s笔转账，账户不属于该企业、事项或年度', p.transfers)
        END AS what
    FROM approved AS a
    INNER JOIN run_line AS l ON l.run_id = a.run_id
    LEFT JOIN posted AS p ON p.company_id = l.company_id AND p.run_id = l.run_id AND p.line_no = l.line_no
    WHERE
        CASE
            WHEN l.granted_fen > 0
                THEN p.legs IS DISTINCT FROM 11 OR p.least_fen <> l.granted_fen OR p.most_fen <> l.granted_fen
                    OR p.first_year <> l.cap_year OR p.last_year <> l.cap_year
            ELSE l.granted_fen = 0 AND p.transfers IS NOT NULL
        END
    UNION ALL
    SELECT
        a.no, l.run_id, l.line_no, l.granted_fen,
        format(
            '有%s笔转账，退回额度%s元、资金%s元', r.transfers, round(coalesce(r.limit_fen, 0) / 100.0, 2),
            round(coalesce(r.money_fen, 0) / 100.0, 2)
        )
    FROM approved AS a
    INNER JOIN recovered AS r ON r.run_id = a.run_id
    INNER JOIN run_line AS l ON l.company_id = r.company_id AND l.run_id = r.run_id AND l.line_no = r.line_no
    WHERE r.limit_fen IS DISTINCT FROM -l.granted_fen OR r.money_fen IS DISTINCT FROM -l.granted_fen
)

SELECT
    w.no AS act_no, w.run_id || ' / ' || w.line_no AS subject,
    format('批次%s第%s行核定%s元，%s。', w.run_id, w.line_no, round(w.granted_fen / 100.0, 2), w.what) AS detail
FROM wrong AS w
ORDER BY w.no, w.line_no
