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
    WHERE
        h.waits_for = 'resolution'
        AND NOT EXISTS (
            SELECT FROM resolution AS d
            INNER JOIN invoice_number AS n ON n.company_id = d.company_id AND n.invoice_id = d.invoice_id
            WHERE n.number = h.invoice_number
        )
)

SELECT
    (SELECT count(*) FROM open_row AS o WHERE o.outcome = 'held') AS held,
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
    (
        SELECT count(*) FROM disclosure AS c
        WHERE
            c.until_on < CAST(:today AS date)
            AND NOT EXISTS (SELECT FROM payment_batch AS b WHERE b.run_id = c.run_id)
    ) AS unpaid
