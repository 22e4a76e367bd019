-- grain:  one row per step of an invoice number on its way, in order
-- params: number, cutoff (seal number), uploader (USCC of the provider whose invoices and uploads alone are told of;
--         null for all)
-- step: refused, accepted, granted, disclosed, in_transit, paid, returned; amount in fen where there is one
WITH chosen AS (
    SELECT i.company_id, i.invoice_id, i.act_id, i.net_fen
    FROM invoice_number AS n
    INNER JOIN invoice AS i ON i.company_id = n.company_id AND i.invoice_id = n.invoice_id
    INNER JOIN party AS p ON p.party_id = i.provider_id
    WHERE n.number = :number AND (CAST(:uploader AS text) IS NULL OR p.uscc = CAST(:uploader AS text))
),

line AS (
    SELECT l.company_id, l.run_id, l.line_no, l.kind, l.granted_fen, l.withheld_fen, l.reasons, d.act_id
    FROM chosen AS c
    INNER JOIN run_line AS l ON l.company_id = c.company_id AND l.invoice_id = c.invoice_id
    INNER JOIN run AS r ON r.run_id = l.run_id
    INNER JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'
)

SELECT t.step, t.what, t.amount_fen, t.run_id, t.reasons, s.no AS act_no, s.recorded_at
FROM (
    SELECT 'accepted' AS step, '' AS what, c.net_fen AS amount_fen, CAST(NULL AS bigint) AS run_id,
        CAST('[]' AS jsonb) AS reasons, c.act_id
    FROM chosen AS c
    UNION ALL
    SELECT
        r.outcome, u.file_name || coalesce('：' || nullif(string_agg(p.message, ' ' ORDER BY p.problem_no), ''), ''),
        NULL, NULL, '[]', r.upload_id
    FROM upload_row AS r
    INNER JOIN upload AS u ON u.upload_id = r.upload_id
    LEFT JOIN upload_problem AS p
        ON p.upload_id = r.upload_id AND p.sheet = r.sheet AND p.row_no = r.row_no AND p.severity <> 'blocking'
    WHERE
        r.invoice_number = :number
        AND (CAST(:uploader AS text) IS NULL OR u.provider_uscc = CAST(:uploader AS text))
    GROUP BY r.upload_id, r.sheet, r.row_no, r.outcome, u.file_name
    UNION ALL
    SELECT l.kind, '', l.granted_fen, l.run_id, l.reasons, l.act_id FROM line AS l
    UNION ALL
    SELECT
        'disclosed', to_char(d.from_on, 'YYYY-MM-DD') || '至' || to_char(d.until_on, 'YYYY-MM-DD'), NULL, d.run_id, '[]',
        d.act_id
    FROM disclosure AS d
    WHERE d.run_id IN (SELECT l.run_id FROM line AS l)
    UNION ALL
    SELECT m.to_state, '', y.amount_fen, y.run_id, '[]', m.act_id
    FROM line AS l
    INNER JOIN payment_line AS y ON y.company_id = l.company_id AND y.run_id = l.run_id AND y.line_no = l.line_no
    INNER JOIN move AS m ON m.noun = 'payment' AND m.subject_id = y.payment_id
) AS t
INNER JOIN seal AS s ON s.act_id = t.act_id AND s.no <= CAST(:cutoff AS bigint)
ORDER BY s.no, t.run_id NULLS FIRST, t.step, t.what, t.amount_fen
