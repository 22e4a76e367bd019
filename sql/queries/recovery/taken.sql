-- grain:  temporary table taken, one row per line and state of its money that the recoveries of a run take from
-- params: run_id, programme, cutoff (seal number: where the money was then)
-- source: DESIGN 5; of one claim the unpaid part first (to the appropriation while its fiscal year is open, else
--         returned), then what is in transit, then what is paid (both to be paid back); older lines first
CREATE TEMPORARY TABLE taken ON COMMIT DROP AS
WITH due AS (
    SELECT l.company_id, l.invoice_id, l.cap_year, -l.granted_fen AS due_fen
    FROM run_line AS l
    WHERE l.run_id = CAST(:run_id AS bigint) AND l.granted_fen < 0
    UNION ALL
    SELECT l.company_id, l.invoice_id, l.cap_year, -l.granted_fen
    FROM draft_line AS l
    WHERE l.run_id = CAST(:run_id AS bigint) AND l.granted_fen < 0
),

line AS (
    SELECT d.company_id, d.invoice_id, d.cap_year, d.due_fen, l.run_id, l.line_no, r.fiscal_year
    FROM due AS d
    INNER JOIN run_line AS l
        ON l.company_id = d.company_id AND l.invoice_id = d.invoice_id AND l.cap_year = d.cap_year
        AND l.granted_fen > 0
    INNER JOIN run AS r ON r.run_id = l.run_id AND r.programme_id = :programme
    INNER JOIN decision AS v ON v.proposal_act_id = r.proposal_act_id AND v.verdict = 'approved'
),

position AS (
    SELECT
        l.company_id, l.invoice_id, l.cap_year, l.due_fen, l.run_id, l.line_no, l.fiscal_year, m.account_id, a.kind,
        array_position(ARRAY['payable', 'in_transit', 'paid'], a.kind) AS turn, sum(m.fen) AS fen
    FROM line AS l
    INNER JOIN moved_at(CAST(:cutoff AS bigint)) AS m
        ON m.company_id = l.company_id AND m.run_id = l.run_id AND m.line_no = l.line_no
    INNER JOIN account AS a ON a.account_id = m.account_id AND a.kind IN ('payable', 'in_transit', 'paid')
    GROUP BY
        l.company_id, l.invoice_id, l.cap_year, l.due_fen, l.run_id, l.line_no, l.fiscal_year, m.account_id, a.kind
),

queued AS (
    SELECT
        p.*,
        sum(p.fen) OVER (
            PARTITION BY p.company_id, p.invoice_id, p.cap_year ORDER BY p.turn, p.run_id, p.line_no
            ROWS UNBOUNDED PRECEDING
        ) AS cum_fen
    FROM position AS p
    WHERE p.fen > 0
),

split AS (
    SELECT q.*, least(q.cum_fen, q.due_fen) - least(q.cum_fen - q.fen, q.due_fen) AS taken_fen
    FROM queued AS q
)

SELECT
    s.company_id, s.run_id, s.line_no, s.account_id AS debit_account_id, s.fiscal_year,
    CASE
        WHEN s.kind <> 'payable' THEN 'recoverable'
        WHEN s.fiscal_year IN (
            SELECT y.subject_id FROM state_at('fiscal_year', CAST(:cutoff AS bigint)) AS y
        )
            THEN 'returned'
        ELSE 'appropriation'
    END AS credit_kind,
    CAST(s.taken_fen AS bigint) AS taken_fen
FROM split AS s
WHERE s.taken_fen > 0
