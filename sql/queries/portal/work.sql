-- grain:  one row: how much waits for somebody
-- params: today
WITH open_row AS (
    SELECT DISTINCT ON (r.invoice_number) r.invoice_number, r.outcome
    FROM upload_row AS r
    INNER JOIN seal AS s ON s.act_id = r.upload_id
    WHERE
        r.invoice_number <> ''
        AND NOT EXISTS (SELECT FROM invoice_number AS n WHERE n.number = r.invoice_number)
    ORDER BY r.invoice_number, s.no DESC
),

dispute AS (
    SELECT count(DISTINCT h.invoice_number) AS invoices
    FROM held_row AS h
    INNER JOIN seal AS s ON s.act_id = h.upload_id
    WHERE
        h.waits_for = 'resolution'
        AND NOT EXISTS (
            SELECT FROM resolution AS d
            INNER JOIN invoice_number AS n ON n.company_id = d.company_id AND n.invoice_id = d.invoice_id
            INNER JOIN seal AS z ON z.act_id = d.act_id
            WHERE n.number = h.invoice_number AND z.no > s.no
        )
),

-- claims that the last run of a programme lists because of another subsidy, and nothing was registered of it since
undecided AS (
    SELECT DISTINCT ON (i.number) i.number, l.run_id
    FROM (
        SELECT x.programme_id, max(x.run_id) AS run_id
        FROM (
            SELECT r.programme_id, r.run_id FROM run AS r
            UNION ALL
            SELECT o.programme_id, o.run_id FROM open_run AS o
        ) AS x
        GROUP BY x.programme_id
    ) AS last
    INNER JOIN draft_listed AS l ON l.run_id = last.run_id AND l.list = 'held'
    INNER JOIN invoice AS i ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id
    WHERE
        EXISTS (
            SELECT FROM jsonb_array_elements(l.reasons) AS e (reason)
            WHERE e.reason ->> 'code' IN ('other_subsidy_undecided', 'overlap_open')
        )
        AND NOT EXISTS (
            SELECT FROM subsidy AS u
            INNER JOIN seal AS s ON s.act_id = u.act_id
            WHERE
                u.invoice_number = i.number
                AND s.no > coalesce(
                    (SELECT r.cutoff_no FROM run AS r WHERE r.run_id = l.run_id),
                    (SELECT o.cutoff_no FROM open_run AS o WHERE o.run_id = l.run_id)
                )
        )
    ORDER BY i.number
),

-- accepted invoices whose newest register row names another subsidy, not given up, that no draft of theirs has seen yet
fresh AS (
    SELECT count(DISTINCT u.invoice_number) AS invoices
    FROM (
        SELECT DISTINCT ON (x.invoice_number, x.policy_name) x.invoice_number, x.amount_fen, x.waived, s.no
        FROM subsidy AS x
        INNER JOIN seal AS s ON s.act_id = x.act_id
        ORDER BY x.invoice_number, x.policy_name, s.no DESC, x.row_no DESC
    ) AS u
    INNER JOIN invoice_number AS n ON n.number = u.invoice_number
    WHERE
        u.amount_fen > 0 AND NOT u.waived
        AND u.no > (
            SELECT coalesce(max(k.cutoff_no), 0)
            FROM (SELECT r.cutoff_no FROM run AS r UNION ALL SELECT o.cutoff_no FROM open_run AS o) AS k
        )
),

-- what is still owed per company, by the balance that the ledger keeps
owed AS (
    SELECT count(*) AS companies FROM account AS a WHERE a.kind = 'recoverable' AND a.balance_fen > 0
),

-- disclosed runs with money of a line that no batch has taken up: left out of the batches so far, or never proposed
unsent AS (
    SELECT count(*) AS runs
    FROM disclosure AS c
    WHERE
        c.until_on < CAST(:today AS date)
        AND EXISTS (
            SELECT FROM run_line AS l
            INNER JOIN account AS a ON a.kind = 'payable' AND a.company_id = l.company_id AND a.balance_fen > 0
            WHERE
                l.run_id = c.run_id AND l.granted_fen > 0
                AND NOT EXISTS (
                    SELECT FROM payment_line AS i
                    INNER JOIN payment AS y ON y.payment_id = i.payment_id
                    LEFT JOIN decision AS d ON d.proposal_act_id = y.batch_id
                    WHERE
                        i.company_id = l.company_id AND i.run_id = l.run_id AND i.line_no = l.line_no
                        AND coalesce(d.verdict, 'approved') = 'approved'
                )
                AND (
                    SELECT sum(CASE a.account_id WHEN t.credit_account_id THEN t.amount_fen ELSE -t.amount_fen END)
                    FROM transfer AS t
                    WHERE
                        t.company_id = l.company_id AND t.run_id = l.run_id AND t.line_no = l.line_no
                        AND a.account_id IN (t.debit_account_id, t.credit_account_id)
                ) > 0
        )
),

-- payments that the bank sent back, with a line that is still owed and that no batch has paid anew
back AS (
    SELECT count(DISTINCT p.payment_id) AS payments
    FROM payment_at(9223372036854775807) AS p
    INNER JOIN payment_line AS l ON l.payment_id = p.payment_id
    INNER JOIN account AS a ON a.kind = 'payable' AND a.company_id = l.company_id AND a.balance_fen > 0
    WHERE
        p.state = 'returned'
        AND NOT EXISTS (
            SELECT FROM payment_line AS n
            INNER JOIN payment AS y ON y.payment_id = n.payment_id
            LEFT JOIN decision AS d ON d.proposal_act_id = y.batch_id
            WHERE
                n.company_id = l.company_id AND n.run_id = l.run_id AND n.line_no = l.line_no
                AND n.payment_id > l.payment_id AND coalesce(d.verdict, 'approved') = 'approved'
        )
        AND (
            SELECT sum(CASE a.account_id WHEN t.credit_account_id THEN t.amount_fen ELSE -t.amount_fen END)
            FROM transfer AS t
            WHERE
                t.company_id = l.company_id AND t.run_id = l.run_id AND t.line_no = l.line_no
                AND a.account_id IN (t.debit_account_id, t.credit_account_id)
        ) > 0
)

SELECT
    (SELECT count(*) FROM open_row AS o WHERE o.outcome = 'held') AS held,
    (SELECT count(u.number) FROM undecided AS u) AS undecided,
    (SELECT max(u.run_id) FROM undecided AS u) AS undecided_run,
    (SELECT f.invoices FROM fresh AS f) AS fresh,
    (SELECT w.companies FROM owed AS w) AS owed,
    (SELECT count(*) FROM open_row AS o WHERE o.outcome = 'rejected') AS rejected,
    (SELECT d.invoices FROM dispute AS d) AS conflicts,
    (
        SELECT count(*) FROM proposal AS p
        WHERE NOT EXISTS (SELECT FROM decision AS d WHERE d.proposal_act_id = p.act_id)
    ) AS proposals,
    (SELECT count(*) FROM open_run AS o WHERE NOT o.submitted) AS drafts,
    (
        SELECT count(*) FROM run AS r
        INNER JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'
        WHERE NOT EXISTS (SELECT FROM disclosure AS c WHERE c.run_id = r.run_id)
    ) AS undisclosed,
    (
        SELECT count(*) FROM objection AS o
        WHERE NOT EXISTS (
            SELECT FROM move AS m WHERE m.noun = 'objection' AND m.subject_id = o.act_id AND m.to_state = 'released'
        )
    ) AS objections,
    (SELECT u.runs FROM unsent AS u) AS unpaid,
    (SELECT b.payments FROM back AS b) AS returned
