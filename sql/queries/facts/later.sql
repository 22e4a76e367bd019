-- grain:  one row per fact about an invoice, its contract, its company, its provider or its rules recorded after one
--         seal and by another, in order
-- params: number, contract_no, company_id, provider_id, after (seal number), cutoff (seal number)
-- what of a move is move:noun:state, of a refusal refused:year; name says which category, year or document is meant, or
-- why it was done; programme_id: whose voucher or claims, null for a fact about all
WITH fact AS (
    SELECT
        i.act_id, i.place AS row_no, 'red' AS what, i.number AS name, i.gross_fen AS fen, FALSE AS waived,
        CAST(NULL AS daterange) AS span, CAST(NULL AS text) AS programme_id
    FROM invoice AS i
    WHERE i.kind = 'red' AND i.original_number = :number
    UNION ALL
    SELECT p.act_id, p.row_no, 'payment', p.reference, p.amount_fen, FALSE, NULL, NULL
    FROM invoice_payment AS p
    WHERE p.invoice_number = :number
    UNION ALL
    SELECT u.act_id, u.row_no, 'subsidy', u.policy_name, u.amount_fen, u.waived, NULL, NULL
    FROM subsidy AS u
    WHERE u.invoice_number = :number
    UNION ALL
    SELECT m.act_id, m.upload_id, 'usage', m.basis, CAST(round(100 * m.metered_yuan) AS bigint), FALSE, NULL, NULL
    FROM metering AS m
    INNER JOIN invoice AS i ON i.company_id = m.company_id AND i.invoice_id = m.invoice_id
    WHERE i.number = :number
    UNION ALL
    SELECT q.act_id, q.row_no, 'qualification', q.category, 0, FALSE, q.span, NULL
    FROM qualification AS q
    WHERE q.company_id = CAST(:company_id AS bigint)
    UNION ALL
    SELECT l.act_id, l.row_no, 'listing', '', 0, FALSE, l.span, NULL
    FROM listing AS l
    WHERE l.provider_id = CAST(:provider_id AS bigint)
    UNION ALL
    SELECT r.act_id, r.row_no, 'relation', r.kind, 0, FALSE, r.span, NULL
    FROM relation AS r
    WHERE r.company_id = CAST(:company_id AS bigint) AND r.provider_id = CAST(:provider_id AS bigint)
    UNION ALL
    SELECT m.act_id, m.step, 'move:company:' || m.to_state, '', 0, FALSE, NULL, NULL
    FROM move AS m
    WHERE m.noun = 'company' AND m.subject_id = CAST(:company_id AS bigint)
    UNION ALL
    SELECT m.act_id, m.step, 'move:voucher:' || m.to_state, CAST(v.cap_year AS text), 0, FALSE, NULL, v.programme_id
    FROM voucher AS v
    INNER JOIN move AS m ON m.noun = 'voucher' AND m.subject_id = v.voucher_id AND m.step > 1
    WHERE v.company_id = CAST(:company_id AS bigint)
    UNION ALL
    SELECT
        f.act_id, 1, CASE WHEN f.refused THEN 'refused:' ELSE 'lifted:' END || coalesce(CAST(f.cap_year AS text), ''),
        f.why, 0, FALSE, NULL, f.programme_id
    FROM refusal AS f
    INNER JOIN invoice AS i ON i.company_id = f.company_id AND i.invoice_id = f.invoice_id
    WHERE i.number = :number
    UNION ALL
    SELECT c.act_id, c.row_no, 'contract', c.contract_no, c.amount_fen, FALSE, c.span, NULL
    FROM contract AS c
    WHERE
        c.contract_no = :contract_no AND c.company_id = CAST(:company_id AS bigint)
        AND c.provider_id = CAST(:provider_id AS bigint)
    UNION ALL
    SELECT v.act_id, v.row_no, 'verification', v.result, 0, FALSE, NULL, NULL
    FROM verification AS v
    WHERE v.invoice_number = :number
    UNION ALL
    SELECT e.act_id, 1, 'evidence', e.kind, e.gross_fen, FALSE, NULL, NULL
    FROM evidence AS e
    INNER JOIN invoice AS i ON i.company_id = e.company_id AND i.invoice_id = e.invoice_id
    WHERE i.number = :number AND e.kind <> 'qr'
    UNION ALL
    SELECT d.act_id, 1, 'resolution', d.why, d.gross_fen, FALSE, NULL, NULL
    FROM resolution AS d
    INNER JOIN invoice AS i ON i.company_id = d.company_id AND i.invoice_id = d.invoice_id
    WHERE i.number = :number
    UNION ALL
    SELECT
        g.act_id, 1, CASE WHEN g.absorbed_id = p.party_id THEN 'absorbed' ELSE 'merged' END, p.uscc, 0, FALSE, NULL,
        NULL
    FROM merger AS g
    INNER JOIN party AS p ON p.party_id = g.absorbed_id + g.survivor_id - CAST(:company_id AS bigint)
    WHERE CAST(:company_id AS bigint) IN (g.absorbed_id, g.survivor_id)
    UNION ALL
    SELECT p.act_id, 1, 'policy', p.policy_id, 0, FALSE, NULL, NULL
    FROM policy AS p
)

SELECT
    s.no, a.effective_on, a.actor, f.what, f.name, f.programme_id, f.fen, f.waived, lower(f.span) AS first_on,
    upper(f.span) - 1 AS last_on, coalesce(isempty(f.span), FALSE) AS void
FROM fact AS f
INNER JOIN act AS a ON a.act_id = f.act_id
INNER JOIN seal AS s ON s.act_id = f.act_id
WHERE s.no > CAST(:after AS bigint) AND s.no <= CAST(:cutoff AS bigint)
ORDER BY s.no, f.what COLLATE "C", f.row_no
