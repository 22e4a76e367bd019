-- grain:  one row per claim of which money was to be paid back by the cutoff, in order of the first recovery;
--         recovered_on: the day of its last recovery
-- params: cutoff (seal number), number (invoice number; empty for all)
-- source: DESIGN 5; debtor: the company, or its successor once it was merged
--         told_on is null until the company was told of all of it: a letter does not speak of a later recovery
WITH moved AS (
    SELECT t.company_id, t.run_id, t.line_no, t.act_id, s.no, m.fen
    FROM account AS a
    INNER JOIN transfer AS t ON t.company_id = a.company_id AND t.run_id IS NOT NULL
    INNER JOIN seal AS s ON s.act_id = t.act_id AND s.no <= CAST(:cutoff AS bigint)
    CROSS JOIN LATERAL (
        VALUES (t.debit_account_id, -t.amount_fen), (t.credit_account_id, t.amount_fen)
    ) AS m (account_id, fen)
    WHERE a.kind = 'recoverable' AND m.account_id = a.account_id
),

claimed AS (
    SELECT
        r.programme_id, l.company_id, l.invoice_id, l.cap_year, min(m.no) AS first_no,
        max(m.no) FILTER (WHERE m.fen > 0) AS last_no, sum(m.fen) AS recoverable_fen,
        coalesce(-sum(m.fen) FILTER (WHERE m.fen < 0), 0) AS returned_fen
    FROM moved AS m
    INNER JOIN run_line AS l ON l.company_id = m.company_id AND l.run_id = m.run_id AND l.line_no = m.line_no
    INNER JOIN run AS r ON r.run_id = m.run_id
    GROUP BY r.programme_id, l.company_id, l.invoice_id, l.cap_year
),

told AS (
    SELECT n.company_id, n.invoice_id, s.no, n.told_on
    FROM recovery_notice AS n
    INNER JOIN seal AS s ON s.act_id = n.act_id AND s.no <= CAST(:cutoff AS bigint)
)

SELECT
    i.number AS invoice_number, p.uscc AS company, coalesce(h.uscc, p.uscc) AS debtor, c.programme_id,
    c.cap_year, CAST(c.recoverable_fen AS bigint) AS recoverable_fen, CAST(c.returned_fen AS bigint) AS returned_fen,
    a.effective_on AS recovered_on, min(t.told_on) AS told_on
FROM claimed AS c
INNER JOIN invoice AS i ON i.company_id = c.company_id AND i.invoice_id = c.invoice_id
INNER JOIN party AS p ON p.party_id = c.company_id
LEFT JOIN successor_at(CAST(:cutoff AS bigint)) AS e ON e.company_id = c.company_id
LEFT JOIN party AS h ON h.party_id = e.successor_id
INNER JOIN seal AS f ON f.no = c.last_no
INNER JOIN act AS a ON a.act_id = f.act_id
LEFT JOIN told AS t
    ON t.company_id = c.company_id AND t.invoice_id = c.invoice_id AND t.no > c.last_no AND t.told_on >= a.effective_on
WHERE CAST(:number AS text) = '' OR i.number = CAST(:number AS text)
GROUP BY
    i.number, p.uscc, h.uscc, c.programme_id, c.cap_year, c.recoverable_fen, c.returned_fen, a.effective_on, c.first_no
ORDER BY c.first_no, i.number COLLATE "C", c.programme_id COLLATE "C", c.cap_year
