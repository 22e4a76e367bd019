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

-- what each transfer of an approval is: 1 uses limit, 2 owes money, 3 gives limit back, 4 takes money back, 0 neither
leg AS (
    SELECT
        t.company_id, t.run_id, t.line_no, t.amount_fen, d.year,
        CASE
            WHEN d.kind = 'voucher' AND c.kind = 'redeemed' AND d.company_id = t.company_id
                AND c.company_id = t.company_id AND d.year = c.year AND d.programme_id = a.programme_id
                AND c.programme_id = a.programme_id THEN 1
            WHEN d.kind = 'appropriation' AND c.kind = 'payable' AND d.year = a.fiscal_year
                AND c.company_id = t.company_id THEN 2
            WHEN d.kind = 'redeemed' AND c.kind IN ('voucher', 'lapsed') AND d.company_id = t.company_id
                AND c.company_id = t.company_id AND d.year = c.year AND d.programme_id = a.programme_id
                AND c.programme_id = a.programme_id THEN 3
            WHEN d.kind IN ('payable', 'in_transit', 'paid') AND d.company_id = t.company_id THEN 4
            ELSE 0
        END AS leg
    FROM approved AS a
    INNER JOIN transfer AS t ON t.act_id = a.act_id AND t.run_id = a.run_id
    INNER JOIN account AS d ON d.account_id = t.debit_account_id
    INNER JOIN account AS c ON c.account_id = t.credit_account_id
),

-- legs: one digit per kind of leg, from the right; 11 is one limit and one money transfer
posted AS (
    SELECT
        l.company_id, l.run_id, l.line_no, count(*) AS transfers,
        sum(CASE l.leg WHEN 1 THEN 1 WHEN 2 THEN 10 ELSE 100 END) AS legs,
        bool_or(l.leg = 0) AS astray, min(l.amount_fen) AS least_fen, max(l.amount_fen) AS most_fen,
        min(CASE WHEN l.leg IN (1, 3) THEN l.year END) AS first_year,
        max(CASE WHEN l.leg IN (1, 3) THEN l.year END) AS last_year,
        sum(CASE l.leg WHEN 3 THEN l.amount_fen END) AS limit_back_fen,
        sum(CASE l.leg WHEN 4 THEN l.amount_fen END) AS money_back_fen
    FROM leg AS l
    GROUP BY l.company_id, l.run_id, l.line_no
)

SELECT
    a.no AS act_no, l.run_id || ' / ' || l.line_no AS subject,
    CASE
        WHEN p.transfers IS NULL
            THEN format('批次%s第%s行核定%s元，没有转账。', l.run_id, l.line_no, round(l.granted_fen / 100.0, 2))
        ELSE format(
            '批次%s第%s行核定%s元，有%s笔转账，金额%s元至%s元%s。', l.run_id, l.line_no,
            round(l.granted_fen / 100.0, 2), p.transfers, round(p.least_fen / 100.0, 2), round(p.most_fen / 100.0, 2),
            CASE
                WHEN p.astray OR p.first_year <> l.cap_year OR p.last_year <> l.cap_year
                    THEN '，账户不属于该企业、事项或年度'
                ELSE '，应有额度、资金各一笔'
            END
        )
    END AS detail
FROM approved AS a
INNER JOIN run_line AS l ON l.run_id = a.run_id
LEFT JOIN posted AS p ON p.company_id = l.company_id AND p.run_id = l.run_id AND p.line_no = l.line_no
WHERE
    p.astray OR p.first_year <> l.cap_year OR p.last_year <> l.cap_year
    OR CASE
        WHEN l.granted_fen > 0
            THEN p.legs IS DISTINCT FROM 11 OR p.least_fen <> l.granted_fen OR p.most_fen <> l.granted_fen
        WHEN l.granted_fen < 0
            THEN p.limit_back_fen IS DISTINCT FROM -l.granted_fen OR p.money_back_fen IS DISTINCT FROM -l.granted_fen
        ELSE p.transfers IS NOT NULL
    END
ORDER BY a.no, l.line_no
