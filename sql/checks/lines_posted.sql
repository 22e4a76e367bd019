-- check:  each approved line above zero has exactly its limit and its money transfer of that amount, between the
--         accounts of its company, year and fiscal year; a recovery moves as much back, the limit on its own line,
--         the money on the earlier lines of its claim; no other line has any
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

-- what an approval took back of a claim: the limit on the recovery line, the money on the lines that were paid it
moved_back AS (
    SELECT a.run_id AS by_run_id, a.programme_id, t.company_id, t.run_id, t.line_no, t.debit_account_id,
        t.credit_account_id, t.amount_fen
    FROM approved AS a
    INNER JOIN transfer AS t ON t.act_id = a.act_id AND t.run_id <> a.run_id
    UNION ALL
    SELECT a.run_id, a.programme_id, t.company_id, t.run_id, t.line_no, t.debit_account_id, t.credit_account_id,
        t.amount_fen
    FROM approved AS a
    INNER JOIN run_line AS l ON l.run_id = a.run_id AND l.granted_fen < 0
    INNER JOIN transfer AS t
        ON t.act_id = a.act_id AND t.company_id = l.company_id AND t.run_id = l.run_id AND t.line_no = l.line_no
),

taken AS (
    SELECT
        m.by_run_id AS run_id, l.company_id, l.invoice_id, l.cap_year,
        sum(m.amount_fen) FILTER (
            WHERE l.run_id = m.by_run_id AND d.kind = 'redeemed' AND c.kind IN ('voucher', 'lapsed')
            AND d.year = l.cap_year AND c.year = l.cap_year AND d.programme_id = m.programme_id
            AND c.programme_id = m.programme_id AND d.company_id = l.company_id AND c.company_id = l.company_id
        ) AS limit_fen,
        sum(m.amount_fen) FILTER (WHERE l.run_id <> m.by_run_id AND d.company_id = l.company_id AND (
            (d.kind = 'payable' AND c.kind IN ('appropriation', 'returned') AND c.year = r.fiscal_year)
            OR (d.kind IN ('in_transit', 'paid') AND c.kind = 'recoverable' AND c.company_id = l.company_id)
        )) AS money_fen,
        sum(m.amount_fen) AS all_fen
    FROM moved_back AS m
    INNER JOIN run_line AS l ON l.company_id = m.company_id AND l.run_id = m.run_id AND l.line_no = m.line_no
    INNER JOIN run AS r ON r.run_id = l.run_id
    INNER JOIN account AS d ON d.account_id = m.debit_account_id
    INNER JOIN account AS c ON c.account_id = m.credit_account_id
    GROUP BY m.by_run_id, l.company_id, l.invoice_id, l.cap_year
),

recovered AS (
    SELECT
        coalesce(l.company_id, t.company_id) AS company_id, coalesce(l.run_id, t.run_id) AS run_id,
        coalesce(l.line_no, 0) AS line_no, coalesce(l.granted_fen, 0) AS granted_fen,
        coalesce(t.limit_fen, 0) AS limit_fen, coalesce(t.money_fen, 0) AS money_fen, coalesce(t.all_fen, 0) AS all_fen
    FROM (
        SELECT n.company_id, n.run_id, n.line_no, n.invoice_id, n.cap_year, n.granted_fen
        FROM approved AS a
        INNER JOIN run_line AS n ON n.run_id = a.run_id AND n.granted_fen < 0
    ) AS l
    FULL JOIN taken AS t
        ON t.run_id = l.run_id AND t.company_id = l.company_id AND t.invoice_id = l.invoice_id
        AND t.cap_year = l.cap_year
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
        a.no, r.run_id, r.line_no, r.granted_fen,
        format(
            '退回额度%s元、资金%s元，转账合计%s元', round(r.limit_fen / 100.0, 2), round(r.money_fen / 100.0, 2),
            round(r.all_fen / 100.0, 2)
        )
    FROM recovered AS r
    INNER JOIN approved AS a ON a.run_id = r.run_id
    WHERE r.limit_fen <> -r.granted_fen OR r.money_fen <> -r.granted_fen OR r.all_fen <> -2 * r.granted_fen
)

SELECT
    w.no AS act_no, w.run_id || ' / ' || w.line_no AS subject,
    format('批次%s第%s行核定%s元，%s。', w.run_id, w.line_no, round(w.granted_fen / 100.0, 2), w.what) AS detail
FROM wrong AS w
ORDER BY w.no, w.line_no
