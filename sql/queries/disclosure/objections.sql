-- grain:  one row per objection to an invoice of a run, oldest first, with its state at the cutoff
-- params: run_id, number (null for all invoices), cutoff (seal number)
SELECT
    o.act_id, i.number AS invoice_number, o.why, a.actor, a.effective_on, m.to_state AS state, m.why AS release_why
FROM objection AS o
INNER JOIN invoice AS i ON i.company_id = o.company_id AND i.invoice_id = o.invoice_id
INNER JOIN act AS a ON a.act_id = o.act_id
CROSS JOIN LATERAL (
    SELECT v.to_state, v.why
    FROM move AS v
    INNER JOIN seal AS s ON s.act_id = v.act_id AND s.no <= CAST(:cutoff AS bigint)
    WHERE v.noun = 'objection' AND v.subject_id = o.act_id
    ORDER BY v.step DESC LIMIT 1
) AS m
WHERE
    o.run_id = CAST(:run_id AS bigint)
    AND (CAST(:number AS text) IS NULL OR i.number = CAST(:number AS text))
ORDER BY o.act_id
