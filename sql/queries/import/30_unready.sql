-- grain:  updates the invoices of a document that must wait: no tax codes, a bare QR code, or doubtful
-- params: doubtful (text[], numbers)
-- source: DESIGN 7; what comes from a QR code alone is a proposal; EIid and number that differ, and a number that
--         Excel may have rounded, are for a person
UPDATE judged AS j
SET
    outcome = 'held',
    code = CASE
        WHEN j.number = ANY(CAST(:doubtful AS text[])) THEN ''
        WHEN x.evidence = 'qr' THEN 'qr_only'
        ELSE 'tax_codes_missing'
    END
FROM context AS x
WHERE
    x.upload_id = j.upload_id AND j.held_upload_id = 0
    AND (x.evidence <> 'template' OR j.number = ANY(CAST(:doubtful AS text[])))
    AND (
        j.outcome IN ('accepted', 'red', 'held')
        OR (j.code = 'unknown_company' AND j.company_uscc IS NULL)
    )
    AND (
        x.evidence = 'qr' OR j.number = ANY(CAST(:doubtful AS text[]))
        OR EXISTS (
            SELECT FROM stage AS s
            WHERE s.invoice_number = j.number AND s.held_upload_id = j.held_upload_id AND s.tax_code IS NULL
        )
    )
