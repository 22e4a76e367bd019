-- check:  money moves only in the ways that belong to the act: an appropriation, a run, a batch, what a bank said, what
--         came back, a year closed; an appropriation, money paid back and a closing move what was approved; what a bank
--         said of a payment is booked for each of its lines, less what was recovered of that since it was sent, and a
--         returned one in full; a payment is paid or returned because a bank said so
-- title:  资金转账与所办事项一致
-- grain:  one row per act and way, approval, line or payment that differs; no rows means all is well
-- params: none
-- source: DESIGN 5, the money book
WITH moved AS (
    SELECT t.act_id, t.debit_account_id, t.credit_account_id, sum(t.amount_fen) AS fen
    FROM transfer AS t
    GROUP BY t.act_id, t.debit_account_id, t.credit_account_id
),

way AS (
    SELECT m.act_id, coalesce(p.kind, a.kind) AS kind, d.kind AS debit, c.kind AS credit, sum(m.fen) AS fen
    FROM moved AS m
    INNER JOIN account AS d ON d.account_id = m.debit_account_id
    INNER JOIN account AS c ON c.account_id = m.credit_account_id
    LEFT JOIN act AS a ON a.act_id = m.act_id
    LEFT JOIN decision AS n ON n.act_id = m.act_id AND n.verdict = 'approved'
    LEFT JOIN proposal AS p ON p.act_id = n.proposal_act_id
    WHERE d.name LIKE 'money:%' OR c.name LIKE 'money:%'
    GROUP BY m.act_id, coalesce(p.kind, a.kind), d.kind, c.kind
),

stated AS (
    SELECT
        n.act_id, p.kind, p.subject, CAST(x.body ->> 'year' AS integer) AS year,
        (SELECT i.invoice_id FROM invoice_number AS i WHERE i.number = x.body ->> 'invoice_number') AS invoice_id,
        CAST(coalesce(x.body ->> 'amount_fen', x.body ->> 'unspent_fen') AS bigint) AS fen
    FROM proposal AS p
    INNER JOIN decision AS n ON n.proposal_act_id = p.act_id AND n.verdict = 'approved'
    CROSS JOIN LATERAL (SELECT CAST(p.payload AS jsonb) AS body) AS x
    WHERE p.kind IN ('appropriation', 'recovery_return', 'budget_close')
),

-- few transfers of very many: their lines are looked up one by one
theirs AS MATERIALIZED (
    SELECT
        t.act_id, t.amount_fen, c.year, r.fiscal_year,
        (
            SELECT l.invoice_id FROM run_line AS l
            WHERE l.company_id = t.company_id AND l.run_id = t.run_id AND l.line_no = t.line_no
        ) AS invoice_id
    FROM stated AS s
    INNER JOIN transfer AS t ON t.act_id = s.act_id
    INNER JOIN account AS c ON c.account_id = t.credit_account_id
    LEFT JOIN run AS r ON r.run_id = t.run_id
),

-- ours: moved for the year that was approved, or for the invoice whose money came back
fulfilled AS (
    SELECT
        s.act_id, s.kind, s.subject, s.fen, coalesce(sum(t.amount_fen), 0) AS booked_fen,
        coalesce(sum(t.amount_fen) FILTER (
            WHERE
            CASE WHEN s.kind = 'recovery_return' THEN t.invoice_id = s.invoice_id AND t.year = t.fiscal_year
                ELSE t.year = s.year END
        ), 0) AS ours_fen
    FROM stated AS s
    LEFT JOIN theirs AS t ON t.act_id = s.act_id
    GROUP BY s.act_id, s.kind, s.subject, s.fen
),

told AS (
    SELECT
        b.act_id, b.state, y.reference, l.company_id, l.run_id, l.line_no, l.amount_fen, bs.no, ns.no AS sent_no
    FROM payment_result AS b
    INNER JOIN seal AS bs ON bs.act_id = b.act_id
    INNER JOIN payment AS y ON y.payment_id = b.payment_id
    INNER JOIN payment_line AS l ON l.payment_id = b.payment_id
    LEFT JOIN decision AS n ON n.proposal_act_id = y.batch_id AND n.verdict = 'approved'
    LEFT JOIN seal AS ns ON ns.act_id = n.act_id
),

booked AS (
    SELECT
        o.act_id, o.state, o.reference, o.run_id, o.line_no, o.amount_fen,
        coalesce(sum(t.amount_fen) FILTER (WHERE t.act_id = o.act_id), 0) AS all_fen,
        coalesce(sum(t.amount_fen) FILTER (
            WHERE t.act_id = o.act_id AND d.kind IN ('in_transit', 'paid')
            AND c.kind = CASE o.state WHEN 'paid' THEN 'paid' ELSE 'payable' END
        ), 0) AS through_fen,
        coalesce(sum(t.amount_fen) FILTER (
            WHERE s.no > o.sent_no AND s.no < o.no AND d.kind IN ('in_transit', 'paid') AND c.kind = 'recoverable'
        ), 0) AS recovered_fen
    FROM told AS o
    LEFT JOIN transfer AS t ON t.company_id = o.company_id AND t.run_id = o.run_id AND t.line_no = o.line_no
    LEFT JOIN seal AS s ON s.act_id = t.act_id
    LEFT JOIN account AS d ON d.account_id = t.debit_account_id
    LEFT JOIN account AS c ON c.account_id = t.credit_account_id
    GROUP BY o.act_id, o.state, o.reference, o.company_id, o.run_id, o.line_no, o.amount_fen
),

wrong AS (
    SELECT
        w.act_id, concat_ws(' ', w.kind, w.act_id) AS subject,
        format('这项办理不应有从 %s 到 %s 的转账，却有%s元。', w.debit, w.credit, round(w.fen / 100.0, 2)) AS detail
    FROM way AS w
    WHERE (w.kind, w.debit, w.credit) NOT IN (
        VALUES
        ('appropriation', 'treasury', 'appropriation'), ('run', 'appropriation', 'payable'),
        ('run', 'payable', 'appropriation'), ('run', 'payable', 'returned'), ('run', 'in_transit', 'recoverable'),
        ('run', 'paid', 'recoverable'), ('payment_batch', 'payable', 'in_transit'),
        ('payment_result', 'in_transit', 'paid'), ('payment_result', 'in_transit', 'payable'),
        ('payment_result', 'paid', 'payable'), ('payment_result', 'recoverable', 'appropriation'),
        ('payment_result', 'recoverable', 'returned'), ('payment_result', 'treasury', 'payable'),
        ('recovery_return', 'recoverable', 'appropriation'), ('recovery_return', 'recoverable', 'returned'),
        ('budget_close', 'appropriation', 'returned')
    )
    UNION ALL
    SELECT
        f.act_id, f.subject,
        format('批准的是%s元，按它记账%s元，这次办理共转账%s元。',
            round(f.fen / 100.0, 2), round(f.ours_fen / 100.0, 2), round(f.booked_fen / 100.0, 2))
    FROM fulfilled AS f
    WHERE f.fen <> f.ours_fen OR f.fen <> f.booked_fen
    UNION ALL
    SELECT
        k.act_id, k.reference,
        format('批次%s第%s行随这笔付款%s，付款%s元、其间追回%s元，记账%s元，其中转入%s元。', k.run_id, k.line_no,
            CASE k.state WHEN 'paid' THEN '已付' ELSE '退回' END, round(k.amount_fen / 100.0, 2),
            round(k.recovered_fen / 100.0, 2), round(k.all_fen / 100.0, 2), round(k.through_fen / 100.0, 2))
    FROM booked AS k
    WHERE
        k.through_fen <> k.amount_fen - k.recovered_fen
        OR k.all_fen <> CASE k.state WHEN 'paid' THEN k.through_fen ELSE k.amount_fen END
    UNION ALL
    SELECT
        t.act_id, concat_ws(' / ', t.run_id, t.line_no),
        format('登记付款结果时转账%s元，这次结果里却没有这一行的付款。', round(sum(t.amount_fen) / 100.0, 2))
    FROM act AS a
    INNER JOIN transfer AS t ON t.act_id = a.act_id
    LEFT JOIN told AS o
        ON o.act_id = t.act_id AND o.company_id = t.company_id AND o.run_id = t.run_id AND o.line_no = t.line_no
    WHERE a.kind = 'payment_result' AND o.act_id IS NULL
    GROUP BY t.act_id, t.run_id, t.line_no
    UNION ALL
    SELECT m.act_id, y.reference, '付款记为已付或退回，却没有银行的这一结果。'
    FROM move AS m
    INNER JOIN payment AS y ON y.payment_id = m.subject_id
    LEFT JOIN payment_result AS b ON b.payment_id = m.subject_id AND b.step = m.step AND b.state = m.to_state
    WHERE m.noun = 'payment' AND m.to_state IN ('paid', 'returned') AND b.act_id IS NULL
)

SELECT s.no AS act_no, w.subject, w.detail
FROM wrong AS w
LEFT JOIN seal AS s ON s.act_id = w.act_id
ORDER BY s.no, w.subject, w.detail
