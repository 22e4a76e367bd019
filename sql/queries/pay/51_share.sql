-- grain:  temporary table share, one row per line of a payment in the news: where its money goes
--         through_fen: on to paid, or back to payable; recovered_fen: recovered meanwhile, back to the budget;
--         repaid_fen: recovered and paid back by the company meanwhile, owed to it again
-- params: none (reads told)
-- source: DESIGN 5: what was recovered of a claim while its payments were under way is what they fall short of
CREATE TEMPORARY TABLE share ON COMMIT DROP AS
WITH item AS (
    SELECT
        t.payment_id, t.from_state, t.state, i.company_id, i.run_id, i.line_no, i.amount_fen, l.invoice_id, l.cap_year,
        r.programme_id, r.fiscal_year
    FROM told AS t
    INNER JOIN payment_line AS i ON i.payment_id = t.payment_id
    INNER JOIN run AS r ON r.run_id = i.run_id
    INNER JOIN run_line AS l ON l.company_id = i.company_id AND l.run_id = i.run_id AND l.line_no = i.line_no
    WHERE t.verdict = 'fresh'
),

kin AS (
    SELECT DISTINCT l.company_id, l.run_id, l.line_no, c.programme_id, l.invoice_id, l.cap_year
    FROM (SELECT DISTINCT i.company_id, i.invoice_id, i.cap_year, i.programme_id FROM item AS i) AS c
    INNER JOIN run_line AS l
        ON l.company_id = c.company_id AND l.invoice_id = c.invoice_id AND l.cap_year = c.cap_year
    INNER JOIN run AS r ON r.run_id = l.run_id AND r.programme_id = c.programme_id
),

sent AS (
    SELECT k.programme_id, k.company_id, k.invoice_id, k.cap_year, p.state, sum(i.amount_fen) AS fen
    FROM kin AS k
    INNER JOIN payment_line AS i ON i.company_id = k.company_id AND i.run_id = k.run_id AND i.line_no = k.line_no
    INNER JOIN payment_at(9223372036854775807) AS p ON p.payment_id = i.payment_id
    GROUP BY k.programme_id, k.company_id, k.invoice_id, k.cap_year, p.state
),

moved AS (
    SELECT k.*, t.amount_fen AS fen, t.credit_account_id AS account_id
    FROM kin AS k
    INNER JOIN transfer AS t ON t.company_id = k.company_id AND t.run_id = k.run_id AND t.line_no = k.line_no
    UNION ALL
    SELECT k.*, -t.amount_fen, t.debit_account_id
    FROM kin AS k
    INNER JOIN transfer AS t ON t.company_id = k.company_id AND t.run_id = k.run_id AND t.line_no = k.line_no
),

booked AS (
    SELECT m.programme_id, m.company_id, m.invoice_id, m.cap_year, a.kind, sum(m.fen) AS fen
    FROM moved AS m
    INNER JOIN account AS a ON a.account_id = m.account_id AND a.kind IN ('in_transit', 'paid', 'recoverable')
    GROUP BY m.programme_id, m.company_id, m.invoice_id, m.cap_year, a.kind
),

stood AS (
    SELECT
        i.*, coalesce(s.fen, 0) AS sent_fen, greatest(0, coalesce(s.fen, 0) - coalesce(b.fen, 0)) AS short_fen,
        greatest(0, coalesce(q.fen, 0)) AS recoverable_fen,
        sum(i.amount_fen) OVER (w ORDER BY i.state DESC, i.payment_id, i.line_no ROWS UNBOUNDED PRECEDING) AS cum_fen,
        sum(CASE WHEN i.state = 'returned' THEN i.amount_fen ELSE 0 END) OVER w AS back_fen
    FROM item AS i
    LEFT JOIN sent AS s
        ON s.programme_id = i.programme_id AND s.company_id = i.company_id AND s.invoice_id = i.invoice_id
        AND s.cap_year = i.cap_year AND s.state = i.from_state
    LEFT JOIN booked AS b
        ON b.programme_id = i.programme_id AND b.company_id = i.company_id AND b.invoice_id = i.invoice_id
        AND b.cap_year = i.cap_year AND b.kind = i.from_state
    LEFT JOIN booked AS q
        ON q.programme_id = i.programme_id AND q.company_id = i.company_id AND q.invoice_id = i.invoice_id
        AND q.cap_year = i.cap_year AND q.kind = 'recoverable'
    WINDOW w AS (PARTITION BY i.programme_id, i.company_id, i.invoice_id, i.cap_year, i.from_state)
),

-- what comes back meets the recovery first; of what is paid, the last of all that was sent falls short
met AS (
    SELECT
        t.*,
        CASE
            WHEN t.state = 'returned'
                THEN least(t.cum_fen, t.short_fen) - least(t.cum_fen - t.amount_fen, t.short_fen)
            ELSE greatest(0, t.cum_fen - greatest(
                t.sent_fen - t.short_fen + least(t.back_fen, t.short_fen), t.cum_fen - t.amount_fen
            ))
        END AS met_fen
    FROM stood AS t
),

summed AS (
    SELECT m.*, sum(CASE WHEN m.state = 'returned' THEN m.met_fen ELSE 0 END) OVER (
        PARTITION BY m.programme_id, m.company_id, m.invoice_id, m.cap_year
        ORDER BY m.from_state, m.state DESC, m.payment_id, m.line_no ROWS UNBOUNDED PRECEDING
    ) AS cum_met_fen
    FROM met AS m
)

SELECT
    s.payment_id, s.from_state, s.state, s.company_id, s.run_id, s.line_no, s.fiscal_year,
    CAST(s.amount_fen - s.met_fen AS bigint) AS through_fen,
    CASE WHEN s.state = 'returned' THEN CAST(
        least(s.cum_met_fen, s.recoverable_fen) - least(s.cum_met_fen - s.met_fen, s.recoverable_fen) AS bigint
    ) ELSE 0 END AS recovered_fen,
    CASE WHEN s.state = 'returned' THEN CAST(
        s.met_fen - least(s.cum_met_fen, s.recoverable_fen) + least(s.cum_met_fen - s.met_fen, s.recoverable_fen)
        AS bigint
    ) ELSE 0 END AS repaid_fen,
    s.fiscal_year IN (SELECT m.subject_id FROM move AS m WHERE m.noun = 'fiscal_year') AS closed
FROM summed AS s
