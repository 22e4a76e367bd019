-- check:  each approved line above zero has exactly its limit and its money transfer of that amount, between the
--         accounts of its company, year and fiscal year; a recovery moves as much back; no other line has any
-- title:  结算行与转账逐笔一致
-- grain:  one row per line that differs; no rows means all is well
-- params: none
-- source: DESIGN 5, transfer; later transfers of a line (its payment) belong to other acts
WITH approved AS (
    SELECT r.run_id, r.programme_id, d.act_id, s.no, o.account_id AS appropriation_id
    FROM run AS r
    INNER JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'
    INNER JOIN seal AS s ON s.act_id = d.act_id
    LEFT JOIN account AS o ON o.kind = 'appropriation' AND o.year = r.fiscal_year
),

-- a transfer's two accounts as one number: debit in the upper half, credit in the lower
posted AS (
    SELECT
        t.company_id, t.run_id, t.line_no, count(*) AS transfers,
        min(t.amount_fen) AS least_fen, max(t.amount_fen) AS most_fen,
        min((t.debit_account_id << 32) + t.credit_account_id) AS first_way,
        max((t.debit_account_id << 32) + t.credit_account_id) AS last_way
    FROM approved AS a
    INNER JOIN transfer AS t ON t.act_id = a.act_id AND t.run_id = a.run_id
    GROUP BY t.company_id, t.run_id, t.line_no
),

way AS (
    SELECT
        a.run_id, v.company_id, v.year, (v.account_id << 32) + u.account_id AS limit_way,
        (a.appropriation_id << 32) + p.account_id AS money_way
    FROM approved AS a
    INNER JOIN account AS v ON v.programme_id = a.programme_id AND v.kind = 'voucher'
    INNER JOIN account AS u
        ON u.programme_id = v.programme_id AND u.company_id = v.company_id AND u.year = v.year AND u.kind = 'redeemed'
    INNER JOIN account AS p ON p.company_id = v.company_id AND p.kind = 'payable'
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
            WHEN p.first_way = least(w.limit_way, w.money_way) AND p.last_way = greatest(w.limit_way, w.money_way)
                THEN format(
                    '有%s笔转账，金额%s元至%s元，应为额度、资金各一笔', p.transfers, round(p.least_fen / 100.0, 2),
                    round(p.most_fen / 100.0, 2)
                )
            ELSE format('有%s笔转账，账户与该企业、事项、年度不符', p.transfers)
        END AS what
    FROM approved AS a
    INNER JOIN run_line AS l ON l.run_id = a.run_id
    LEFT JOIN posted AS p ON p.company_id = l.company_id AND p.run_id = l.run_id AND p.line_no = l.line_no
    LEFT JOIN way AS w ON w.run_id = l.run_id AND w.company_id = l.company_id AND w.year = l.cap_year
    WHERE
        CASE
            WHEN l.granted_fen > 0
                THEN p.transfers IS DISTINCT FROM 2 OR p.least_fen <> l.granted_fen OR p.most_fen <> l.granted_fen
                    OR w.limit_way + w.money_way IS NULL
                    OR p.first_way <> least(w.limit_way, w.money_way)
                    OR p.last_way <> greatest(w.limit_way, w.money_way)
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
