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

leg AS (
    SELECT
        t.company_id, t.run_id, t.line_no, t.amount_fen,
        CASE
            WHEN c.kind = 'redeemed' AND d.kind = 'voucher' THEN 1
            WHEN c.kind = 'payable' AND d.kind = 'appropriation' THEN 2
            WHEN d.kind = 'redeemed' AND c.kind IN ('voucher', 'lapsed') THEN -1
            WHEN d.kind IN ('payable', 'in_transit', 'paid') AND d.company_id = t.company_id THEN -2
            ELSE 0
        END AS leg,
        CASE WHEN d.company_id = 0 THEN t.company_id ELSE d.company_id END AS debit_company_id,
        CASE WHEN c.company_id = 0 THEN t.company_id ELSE c.company_id END AS credit_company_id,
        d.programme_id AS debit_programme_id, c.programme_id AS credit_programme_id, d.year AS debit_year,
        c.year AS credit_year, a.programme_id, a.fiscal_year
    FROM approved AS a
    INNER JOIN transfer AS t ON t.act_id = a.act_id AND t.run_id = a.run_id
    INNER JOIN account AS d ON d.account_id = t.debit_account_id
    INNER JOIN account AS c ON c.account_id = t.credit_account_id
),

posted AS (
    SELECT
        l.company_id, l.run_id, l.line_no,
        sum(l.amount_fen) FILTER (WHERE l.leg = 1) AS limit_fen,
        sum(l.amount_fen) FILTER (WHERE l.leg = 2) AS money_fen,
        coalesce(sum(l.amount_fen) FILTER (WHERE l.leg = -1), 0) AS limit_back_fen,
        coalesce(sum(l.amount_fen) FILTER (WHERE l.leg = -2), 0) AS money_back_fen,
        count(*) AS transfers,
        bool_or(
            l.leg = 0 OR l.debit_company_id <> l.company_id OR l.credit_company_id <> l.company_id
            OR (abs(l.leg) = 1 AND (l.debit_programme_id <> l.programme_id OR l.credit_programme_id <> l.programme_id))
            OR (l.leg = 2 AND l.debit_year <> l.fiscal_year)
        ) AS elsewhere,
        min(CASE l.leg WHEN 1 THEN l.debit_year WHEN -1 THEN l.debit_year END) AS first_year,
        max(CASE l.leg WHEN 1 THEN l.credit_year WHEN -1 THEN l.credit_year END) AS last_year
    FROM leg AS l
    GROUP BY l.company_id, l.run_id, l.line_no
)

SELECT
    a.no AS act_no, l.run_id || ' / ' || l.line_no AS subject,
    format(
        '批次%s第%s行核定%s元；额度转账%s元，资金转账%s元，共%s笔%s。', l.run_id, l.line_no,
        round(l.granted_fen / 100.0, 2), round((coalesce(p.limit_fen, 0) - coalesce(p.limit_back_fen, 0)) / 100.0, 2),
        round((coalesce(p.money_fen, 0) - coalesce(p.money_back_fen, 0)) / 100.0, 2), coalesce(p.transfers, 0),
        CASE
            WHEN p.elsewhere OR p.first_year <> l.cap_year OR p.last_year <> l.cap_year
                THEN '，账户不属于该企业、事项或年度'
            ELSE ''
        END
    ) AS detail
FROM approved AS a
INNER JOIN run_line AS l ON l.run_id = a.run_id
LEFT JOIN posted AS p ON p.company_id = l.company_id AND p.run_id = l.run_id AND p.line_no = l.line_no
WHERE
    (p.transfers IS NULL AND l.granted_fen <> 0)
    OR p.elsewhere OR p.first_year <> l.cap_year OR p.last_year <> l.cap_year
    OR (
        l.granted_fen > 0
        AND (
            p.transfers <> 2 OR p.limit_fen IS DISTINCT FROM l.granted_fen
            OR p.money_fen IS DISTINCT FROM l.granted_fen
        )
    )
    OR (l.granted_fen = 0 AND p.transfers > 0)
    OR (l.granted_fen < 0 AND (p.limit_back_fen <> -l.granted_fen OR p.money_back_fen <> -l.granted_fen))
ORDER BY a.no, l.line_no
