-- grain:  temporary table payable, one row per line of a run of which something is left to be paid: how much, to
--         which account, and in which way it is hindered (code, null when it can be paid)
-- params: run_id, batch (left out of what other batches hold; null for none)
-- source: DESIGN 5 and 6.9; of a claim no more is paid than is payable of all its lines; what is owed to a company
--         that was merged is paid to its successor (公司法第二百二十一条)
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

kin AS (
    SELECT n.company_id, n.invoice_id, n.cap_year, n.run_id, n.line_no
    FROM line AS l
    INNER JOIN run AS r ON r.programme_id = l.programme_id
    INNER JOIN run_line AS n
        ON n.run_id = r.run_id AND n.company_id = l.company_id AND n.invoice_id = l.invoice_id
        AND n.cap_year = l.cap_year
),

owed AS (
    SELECT k.company_id, k.invoice_id, k.cap_year, sum(
        CASE WHEN c.account_id IS NOT NULL THEN t.amount_fen ELSE 0 END
        - CASE WHEN d.account_id IS NOT NULL THEN t.amount_fen ELSE 0 END
    ) AS fen
    FROM kin AS k
    INNER JOIN transfer AS t ON t.company_id = k.company_id AND t.run_id = k.run_id AND t.line_no = k.line_no
    LEFT JOIN account AS d ON d.account_id = t.debit_account_id AND d.kind = 'payable'
    LEFT JOIN account AS c ON c.account_id = t.credit_account_id AND c.kind = 'payable'
    GROUP BY k.company_id, k.invoice_id, k.cap_year
),

held AS (
    SELECT
        k.company_id, k.invoice_id, k.cap_year, k.run_id, k.line_no, sum(i.amount_fen) AS fen,
        coalesce(sum(i.amount_fen) FILTER (WHERE p.state = 'proposed'), 0) AS proposed_fen
    FROM kin AS k
    INNER JOIN payment_line AS i ON i.company_id = k.company_id AND i.run_id = k.run_id AND i.line_no = k.line_no
    INNER JOIN payment_at(9223372036854775807) AS p ON p.payment_id = i.payment_id
    WHERE
        p.state IN ('proposed', 'in_transit', 'paid')
        AND p.batch_id IS DISTINCT FROM CAST(:batch AS bigint)
    GROUP BY k.company_id, k.invoice_id, k.cap_year, k.run_id, k.line_no
),

claimed AS (
    SELECT h.company_id, h.invoice_id, h.cap_year, sum(h.proposed_fen) AS proposed_fen
    FROM held AS h
    GROUP BY h.company_id, h.invoice_id, h.cap_year
),

unpaid AS (
    SELECT
        l.*, coalesce(h.proposed_fen, 0) AS proposed_fen,
        CAST(greatest(0, least(
            l.granted_fen - coalesce(h.fen, 0), coalesce(o.fen, 0) - coalesce(c.proposed_fen, 0)
        )) AS bigint) AS left_fen
    FROM line AS l
    LEFT JOIN owed AS o
        ON o.company_id = l.company_id AND o.invoice_id = l.invoice_id AND o.cap_year = l.cap_year
    LEFT JOIN held AS h ON h.company_id = l.company_id AND h.run_id = l.run_id AND h.line_no = l.line_no
    LEFT JOIN claimed AS c
        ON c.company_id = l.company_id AND c.invoice_id = l.invoice_id AND c.cap_year = l.cap_year
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
