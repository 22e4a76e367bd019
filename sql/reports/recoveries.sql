-- report: 追回台账
-- grain:  one row per recovery line of the runs approved in the period
-- params: period_from, period_until (exclusive), cutoff (seal number)
-- source: DESIGN 5, recoverable
-- basis:  金额按不含税基数核定；按批准日归入本期，退回与告知截至截止号
-- balance: amount_fen = unpaid_fen + owed_fen
-- note:   追回先抵减未付，其余应由企业退回。同一发票一年内几次追回的，退回的先计入较早的一次。
-- columns:
--   company_name   | 企业 | text | 28
--   invoice_number | 发票号码 | id | 22
--   cap_year       | 年度 | text | 6
--   approved_on    | 批准日 | day | 11
--   amount_fen     | 追回金额 | money | 14
--   unpaid_fen     | 其中未付抵减 | money | 14
--   owed_fen       | 其中应退回 | money | 14
--   came_back_fen  | 其中已退回 | money | 14
--   told_on        | 告知日 | day | 11
--   company_code   | 企业代码 | id | 20
WITH flow AS (
    -- the money of a claim moves on the lines that granted it
    SELECT
        t.act_id, g.programme_id, t.company_id, l.invoice_id, l.cap_year, t.amount_fen AS fen, d.kind AS debit,
        c.kind AS credit
    FROM transfer AS t
    INNER JOIN seal AS s ON s.act_id = t.act_id AND s.no <= CAST(:cutoff AS bigint)
    INNER JOIN account AS d
        ON d.account_id = t.debit_account_id AND d.kind IN ('payable', 'in_transit', 'paid', 'recoverable')
    INNER JOIN account AS c ON c.account_id = t.credit_account_id
    INNER JOIN run_line AS l ON l.company_id = t.company_id AND l.run_id = t.run_id AND l.line_no = t.line_no
    INNER JOIN run AS g ON g.run_id = t.run_id
),

moved AS (
    SELECT
        f.act_id, f.company_id, f.invoice_id, f.cap_year,
        sum(f.fen) FILTER (WHERE f.debit = 'payable' AND f.credit IN ('appropriation', 'returned')) AS unpaid_fen,
        sum(f.fen) FILTER (WHERE f.credit = 'recoverable') AS owed_fen
    FROM flow AS f
    GROUP BY f.act_id, f.company_id, f.invoice_id, f.cap_year
),

returned AS (
    SELECT f.programme_id, f.company_id, f.invoice_id, f.cap_year, sum(f.fen) AS fen
    FROM flow AS f
    WHERE f.debit = 'recoverable'
    GROUP BY f.programme_id, f.company_id, f.invoice_id, f.cap_year
),

-- all recoveries of a claim, whatever their period: what came back is that of the earlier ones first
taken AS (
    SELECT
        a.programme_id, a.run_id, a.no, a.approved_on, l.line_no, l.company_id, l.invoice_id, l.cap_year, l.granted_fen,
        coalesce(m.unpaid_fen, 0) AS unpaid_fen, coalesce(m.owed_fen, 0) AS owed_fen,
        sum(coalesce(m.owed_fen, 0)) OVER (
            PARTITION BY a.programme_id, l.company_id, l.invoice_id, l.cap_year ORDER BY a.no ROWS UNBOUNDED PRECEDING
        ) AS cum_fen
    FROM approved_at(CAST(:cutoff AS bigint)) AS a
    INNER JOIN run_line AS l ON l.run_id = a.run_id AND l.kind = 'recovery'
    LEFT JOIN moved AS m
        ON
            m.act_id = a.act_id AND m.company_id = l.company_id AND m.invoice_id = l.invoice_id
            AND m.cap_year = l.cap_year
),

-- the first letter after a recovery; one before it does not speak of it
told AS (
    SELECT l.run_id, l.company_id, l.line_no, min(n.told_on) AS told_on
    FROM taken AS l
    INNER JOIN recovery_notice AS n
        ON n.company_id = l.company_id AND n.invoice_id = l.invoice_id AND n.told_on >= l.approved_on
    INNER JOIN seal AS s ON s.act_id = n.act_id AND s.no > l.no AND s.no <= CAST(:cutoff AS bigint)
    GROUP BY l.run_id, l.company_id, l.line_no
)

SELECT
    c.name AS company_name, i.number AS invoice_number, l.cap_year || '' AS cap_year, l.approved_on,
    -l.granted_fen AS amount_fen, l.unpaid_fen, l.owed_fen,
    least(l.cum_fen, coalesce(r.fen, 0)) - least(l.cum_fen - l.owed_fen, coalesce(r.fen, 0)) AS came_back_fen,
    t.told_on, c.uscc AS company_code
FROM taken AS l
INNER JOIN invoice AS i ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS c ON c.party_id = l.company_id
LEFT JOIN returned AS r
    ON
        r.programme_id = l.programme_id AND r.company_id = l.company_id AND r.invoice_id = l.invoice_id
        AND r.cap_year = l.cap_year
LEFT JOIN told AS t ON t.run_id = l.run_id AND t.company_id = l.company_id AND t.line_no = l.line_no
WHERE l.approved_on <@ daterange(CAST(:period_from AS date), CAST(:period_until AS date))
ORDER BY l.approved_on, c.name, i.number, l.cap_year, l.run_id
