-- grain:  temporary table taken, one row per line of an invoice that money which came back is booked for
-- params: number, amount_fen
-- source: DESIGN 5; what comes back goes to the appropriation while its fiscal year is open, else returned;
--         older lines first
CREATE TEMPORARY TABLE taken ON COMMIT DROP AS
WITH position AS (
    SELECT l.company_id, l.run_id, l.line_no, r.fiscal_year, a.account_id, sum(m.fen) AS fen
    FROM invoice_number AS n
    INNER JOIN run_line AS l ON l.company_id = n.company_id AND l.invoice_id = n.invoice_id
    INNER JOIN run AS r ON r.run_id = l.run_id
    INNER JOIN transfer AS t ON t.company_id = l.company_id AND t.run_id = l.run_id AND t.line_no = l.line_no
    CROSS JOIN LATERAL (
        VALUES (t.debit_account_id, -t.amount_fen), (t.credit_account_id, t.amount_fen)
    ) AS m (account_id, fen)
    INNER JOIN account AS a ON a.account_id = m.account_id AND a.kind = 'recoverable'
    WHERE n.number = :number
    GROUP BY l.company_id, l.run_id, l.line_no, r.fiscal_year, a.account_id
),

queued AS (
    SELECT p.*, sum(p.fen) OVER (ORDER BY p.run_id, p.line_no ROWS UNBOUNDED PRECEDING) AS cum_fen
    FROM position AS p
    WHERE p.fen > 0
),

split AS (
    SELECT q.*, least(q.cum_fen, a.fen) - least(q.cum_fen - q.fen, a.fen) AS taken_fen
    FROM queued AS q
    CROSS JOIN (SELECT CAST(:amount_fen AS bigint) AS fen) AS a
)

SELECT
    s.company_id, s.run_id, s.line_no, s.account_id AS debit_account_id, s.fiscal_year,
    CASE
        WHEN EXISTS (SELECT FROM move AS m WHERE m.noun = 'fiscal_year' AND m.subject_id = s.fiscal_year)
            THEN 'returned'
        ELSE 'appropriation'
    END AS credit_kind,
    CAST(s.taken_fen AS bigint) AS taken_fen
FROM split AS s
WHERE s.taken_fen > 0
