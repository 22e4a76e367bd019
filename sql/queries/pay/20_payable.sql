-- grain:  temporary table payable, one row per line of a run of which something is left to be paid: how much, to
--         which account, and in which way it is hindered (code, null when it can be paid)
-- params: run_id, batch (left out of what other batches hold; null for none)
-- source: DESIGN 5 and 6.9; a line is paid what is payable of it, never the money of another run's line of the claim;
--         what is owed to a company that was merged is paid to its successor (公司法第二百二十一条)
CREATE TEMPORARY TABLE payable ON COMMIT DROP AS
WITH line AS (
    SELECT
        l.company_id, l.run_id, l.line_no, l.invoice_id, l.cap_year, l.accepted_no, l.granted_fen, r.programme_id,
        coalesce(h.successor_id, l.company_id) AS payee_id
    FROM run AS r
    INNER JOIN run_line AS l ON l.run_id = r.run_id
    LEFT JOIN successor_at(9223372036854775807) AS h ON h.company_id = l.company_id
    WHERE r.run_id = CAST(:run_id AS bigint) AND l.granted_fen > 0
),

owed AS (
    SELECT l.line_no, l.company_id, sum(
        CASE WHEN c.account_id IS NOT NULL THEN t.amount_fen ELSE 0 END
        - CASE WHEN d.account_id IS NOT NULL THEN t.amount_fen ELSE 0 END
    ) AS fen
    FROM line AS l
    INNER JOIN transfer AS t ON t.company_id = l.company_id AND t.run_id = l.run_id AND t.line_no = l.line_no
    LEFT JOIN account AS d ON d.account_id = t.debit_account_id AND d.kind = 'payable'
    LEFT JOIN account AS c ON c.account_id = t.credit_account_id AND c.kind = 'payable'
    GROUP BY l.line_no, l.company_id
),

proposed AS (
    SELECT l.line_no, l.company_id, sum(i.amount_fen) AS fen
    FROM line AS l
    INNER JOIN payment_line AS i ON i.company_id = l.company_id AND i.run_id = l.run_id AND i.line_no = l.line_no
    INNER JOIN payment_at(9223372036854775807) AS p ON p.payment_id = i.payment_id
    WHERE p.state = 'proposed' AND p.batch_id IS DISTINCT FROM CAST(:batch AS bigint)
    GROUP BY l.line_no, l.company_id
),

unpaid AS (
    SELECT
        l.*, coalesce(p.fen, 0) AS proposed_fen,
        CAST(greatest(0, o.fen - coalesce(p.fen, 0)) AS bigint) AS left_fen
    FROM line AS l
    INNER JOIN owed AS o ON o.company_id = l.company_id AND o.line_no = l.line_no
    LEFT JOIN proposed AS p ON p.company_id = l.company_id AND p.line_no = l.line_no
),

objected AS (
    SELECT DISTINCT o.company_id, o.invoice_id
    FROM objection AS o
    WHERE
        o.run_id = CAST(:run_id AS bigint)
        AND NOT EXISTS (SELECT FROM move AS m WHERE m.noun = 'objection' AND m.subject_id = o.act_id AND m.step = 2)
),

frozen AS (
    SELECT v.programme_id, v.company_id, v.cap_year
    FROM voucher AS v
    INNER JOIN state_at('voucher', 9223372036854775807) AS t ON t.subject_id = v.voucher_id AND t.state = 'frozen'
    UNION
    SELECT l.programme_id, l.company_id, l.cap_year
    FROM line AS l
    INNER JOIN standing_at(9223372036854775807) AS g
        ON g.company_id IN (l.company_id, l.payee_id) AND g.frozen
),

known AS (
    SELECT DISTINCT ON (b.company_id) b.company_id, b.act_id, b.row_no
    FROM bank_account AS b
    INNER JOIN seal AS s ON s.act_id = b.act_id
    ORDER BY b.company_id, s.no DESC, b.row_no DESC
),

changing AS (
    SELECT DISTINCT a.company_id
    FROM pending_account AS a
    WHERE NOT EXISTS (SELECT FROM decision AS d WHERE d.proposal_act_id = a.proposal_act_id)
)

SELECT
    u.company_id, u.payee_id, u.run_id, u.line_no, u.invoice_id, u.accepted_no, k.act_id AS account_act_id,
    k.row_no AS account_row_no, CASE WHEN u.left_fen > 0 THEN u.left_fen ELSE u.proposed_fen END AS fen,
    CASE
        WHEN u.left_fen = 0 THEN 'in_batch'
        WHEN o.company_id IS NOT NULL THEN 'objection_open'
        WHEN d.code IS NOT NULL THEN d.code
        WHEN f.company_id IS NOT NULL THEN 'frozen'
        WHEN g.company_id IS NOT NULL THEN 'account_pending'
        WHEN k.company_id IS NULL THEN 'account_missing'
    END AS code
FROM unpaid AS u
LEFT JOIN objected AS o ON o.company_id = u.company_id AND o.invoice_id = u.invoice_id
LEFT JOIN due AS d ON d.company_id = u.company_id AND d.invoice_id = u.invoice_id AND d.cap_year = u.cap_year
LEFT JOIN frozen AS f
    ON f.programme_id = u.programme_id AND f.company_id = u.company_id AND f.cap_year = u.cap_year
LEFT JOIN known AS k ON k.company_id = u.payee_id
LEFT JOIN changing AS g ON g.company_id = u.payee_id
WHERE u.left_fen > 0 OR u.proposed_fen > 0
