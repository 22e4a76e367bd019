-- grain:  updates the invoices whose number is accepted: duplicate or conflict, by the kind of document
-- params: doubtful (text[], numbers)
-- source: DESIGN 7; the same kind with any other content is a conflict, another kind only with other money.
--         A QR code alone states one amount, gross or net; either may agree. A doubtful document waits for a person,
--         its lines do not take the place of those that count. A document that names no provider tells another
--         provider nothing of an invoice
UPDATE judged AS j
SET
    outcome = CASE
        WHEN k.of_another THEN 'rejected' WHEN NOT k.same THEN 'conflict' WHEN k.doubtful THEN 'held' ELSE 'duplicate'
    END,
    code = CASE
        WHEN k.of_another THEN 'not_the_uploader' WHEN NOT k.same THEN 'conflict_invoice' WHEN k.doubtful THEN ''
        ELSE 'duplicate_invoice'
    END
FROM (
    SELECT
        m.number,
        m.number = ANY(CAST(:doubtful AS text[])) AND i.evidence <> x.evidence AND e.known IS NULL AS doubtful,
        m.provider_uscc IS NULL AND x.provider_uscc NOT IN ('', p.uscc) AS of_another,
        CASE
            WHEN i.evidence = x.evidence AND i.digest = m.digest THEN TRUE
            WHEN e.known THEN TRUE
            WHEN i.evidence = x.evidence OR NOT e.known THEN FALSE
            WHEN x.evidence = 'qr' AND num_nulls(m.net_fen, m.tax_fen, m.gross_fen) > 0
                THEN coalesce(m.gross_fen, m.net_fen) IN (w.gross_fen, w.net_fen)
            ELSE w.net_fen = m.net_fen AND w.tax_fen = m.tax_fen AND w.gross_fen = m.gross_fen
        END AS same
    FROM judged AS m
    INNER JOIN context AS x ON x.upload_id = m.upload_id
    INNER JOIN invoice_number AS n ON n.number = m.number
    INNER JOIN invoice AS i ON i.company_id = n.company_id AND i.invoice_id = n.invoice_id
    INNER JOIN party AS p ON p.party_id = i.provider_id
    INNER JOIN invoice_money AS w ON w.company_id = i.company_id AND w.invoice_id = i.invoice_id
    LEFT JOIN LATERAL (
        SELECT bool_or(v.digest = m.digest) AS known
        FROM evidence AS v
        WHERE v.company_id = i.company_id AND v.invoice_id = i.invoice_id AND v.kind = x.evidence
    ) AS e ON TRUE
    WHERE m.held_upload_id = 0 AND m.code IN ('duplicate_invoice', 'conflict_invoice')
) AS k
WHERE k.number = j.number AND j.held_upload_id = 0 AND (k.same IS NOT NULL OR k.of_another)
