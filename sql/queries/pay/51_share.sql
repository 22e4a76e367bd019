-- grain:  temporary table share, one row per line of a payment in the news: where its money goes
--         through_fen: on to paid, or back to payable; recovered_fen: recovered meanwhile, back to the budget;
--         repaid_fen: recovered and paid back by the company meanwhile, owed to it again
-- params: none (reads told)
-- source: DESIGN 5: what was recovered of a line while its payment was under way is what that falls short of;
--         each line keeps to its own money, whatever became of other lines of the claim
CREATE TEMPORARY TABLE share ON COMMIT DROP AS
WITH item AS (
    SELECT
        t.payment_id, t.from_state, t.state, i.company_id, i.run_id, i.line_no, i.amount_fen, r.fiscal_year
    FROM told AS t
    INNER JOIN payment_line AS i ON i.payment_id = t.payment_id
    INNER JOIN run AS r ON r.run_id = i.run_id
    WHERE t.verdict = 'fresh'
),

line AS (
    SELECT DISTINCT i.company_id, i.run_id, i.line_no FROM item AS i
),

moved AS (
    SELECT l.*, t.amount_fen AS fen, t.credit_account_id AS account_id
    FROM line AS l
    INNER JOIN transfer AS t ON t.company_id = l.company_id AND t.run_id = l.run_id AND t.line_no = l.line_no
    UNION ALL
    SELECT l.*, -t.amount_fen, t.debit_account_id
    FROM line AS l
    INNER JOIN transfer AS t ON t.company_id = l.company_id AND t.run_id = l.run_id AND t.line_no = l.line_no
),

booked AS (
    SELECT m.company_id, m.run_id, m.line_no, a.kind, sum(m.fen) AS fen
    FROM moved AS m
    INNER JOIN account AS a ON a.account_id = m.account_id AND a.kind IN ('in_transit', 'paid', 'recoverable')
    GROUP BY m.company_id, m.run_id, m.line_no, a.kind
),

-- a line is with the bank or paid by one payment at a time
met AS (
    SELECT
        i.*, i.amount_fen - least(i.amount_fen, coalesce(b.fen, 0)) AS met_fen,
        coalesce(q.fen, 0) AS recoverable_fen
    FROM item AS i
    LEFT JOIN booked AS b
        ON b.company_id = i.company_id AND b.run_id = i.run_id AND b.line_no = i.line_no AND b.kind = i.from_state
    LEFT JOIN booked AS q
        ON q.company_id = i.company_id AND q.run_id = i.run_id AND q.line_no = i.line_no AND q.kind = 'recoverable'
)

SELECT
    m.payment_id, m.from_state, m.state, m.company_id, m.run_id, m.line_no, m.fiscal_year,
    CAST(m.amount_fen - m.met_fen AS bigint) AS through_fen,
    CASE WHEN m.state = 'returned' THEN CAST(least(m.met_fen, m.recoverable_fen) AS bigint) ELSE 0 END
        AS recovered_fen,
    CASE WHEN m.state = 'returned' THEN CAST(m.met_fen - least(m.met_fen, m.recoverable_fen) AS bigint) ELSE 0 END
        AS repaid_fen,
    m.fiscal_year IN (SELECT y.subject_id FROM move AS y WHERE y.noun = 'fiscal_year') AS closed
FROM met AS m
