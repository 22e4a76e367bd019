-- check:  no line has less than nothing owed, with the bank, paid or to be paid back, and what the accounts of a
--         company say of these is the sum over its lines
-- title:  每行资金不小于零，企业账户等于各行之和
-- grain:  one row per line and state below zero, and one per account that differs; no rows means all is well
-- params: none
-- source: DESIGN 5; transfers of money carry the line whose money it is
WITH state AS (
    SELECT a.account_id, a.name, a.kind, a.company_id, a.balance_fen
    FROM account AS a
    WHERE a.kind IN ('payable', 'in_transit', 'paid', 'recoverable')
),

-- most lines were only ever owed: those that something was taken from are looked at one by one
left_fen AS (
    SELECT DISTINCT t.company_id, t.run_id, t.line_no
    FROM transfer AS t
    INNER JOIN state AS d ON d.account_id = t.debit_account_id
),

moved AS (
    SELECT t.company_id, t.run_id, t.line_no, t.act_id, t.debit_account_id AS account_id, -t.amount_fen AS fen
    FROM transfer AS t
    UNION ALL
    SELECT t.company_id, t.run_id, t.line_no, t.act_id, t.credit_account_id, t.amount_fen
    FROM transfer AS t
),

below AS (
    SELECT m.run_id, m.line_no, s.name, max(m.act_id) AS act_id, sum(m.fen) AS fen
    FROM left_fen AS l
    INNER JOIN moved AS m ON m.company_id = l.company_id AND m.run_id = l.run_id AND m.line_no = l.line_no
    INNER JOIN state AS s ON s.account_id = m.account_id
    GROUP BY m.run_id, m.line_no, s.name
    HAVING sum(m.fen) < 0
),

-- added up per pair of accounts before accounts are looked at: there are few of them, and very many transfers
pair AS (
    SELECT t.debit_account_id, t.credit_account_id, t.company_id, sum(t.amount_fen) AS fen
    FROM transfer AS t
    WHERE t.run_id IS NOT NULL
    GROUP BY t.debit_account_id, t.credit_account_id, t.company_id
),

summed AS (
    SELECT n.account_id, n.company_id, sum(n.fen) AS fen
    FROM (
        SELECT p.debit_account_id AS account_id, p.company_id, -p.fen AS fen FROM pair AS p
        UNION ALL
        SELECT p.credit_account_id, p.company_id, p.fen FROM pair AS p
    ) AS n
    GROUP BY n.account_id, n.company_id
)

SELECT
    e.no AS act_no, b.run_id || ' / ' || b.line_no AS subject,
    format('批次%s第%s行在账户 %s 上为%s元。', b.run_id, b.line_no, b.name, round(b.fen / 100.0, 2)) AS detail
FROM below AS b
LEFT JOIN seal AS e ON e.act_id = b.act_id
UNION ALL
SELECT
    NULL, s.name,
    format('账户余额%s元，各行合计%s元。', round(s.balance_fen / 100.0, 2), round(coalesce(m.fen, 0) / 100.0, 2))
FROM state AS s
LEFT JOIN summed AS m ON m.account_id = s.account_id AND m.company_id = s.company_id
WHERE s.balance_fen <> coalesce(m.fen, 0)
ORDER BY act_no, subject
