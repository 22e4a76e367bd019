-- grain:  updates the invoices that a waiting document of a better kind states otherwise: other money or parties
-- params: none (reads judged, context)
-- source: DESIGN 7; the documents of one number must agree to the fen; what another provider handed in is left where
--         it is
WITH waiting AS (
    SELECT h.invoice_number, h.upload_id, h.evidence,
        row_number() OVER (PARTITION BY h.invoice_number, h.evidence ORDER BY h.upload_id DESC) AS age,
        sum(CAST(h.content ->> 'net_fen' AS bigint)) AS net_fen,
        sum(CAST(h.content ->> 'tax_fen' AS bigint)) AS tax_fen,
        min(h.content ->> 'provider_uscc') AS provider_uscc, min(h.content ->> 'company_uscc') AS company_uscc
    FROM held_row AS h
    INNER JOIN judged AS g ON g.number = h.invoice_number AND g.held_upload_id = 0
    INNER JOIN context AS x ON x.upload_id = g.upload_id AND evidence_rank(h.evidence) > evidence_rank(x.evidence)
    INNER JOIN upload AS u ON u.upload_id = h.upload_id AND u.provider_uscc IN ('', g.provider_uscc)
    WHERE h.waits_for <> 'resolution' AND h.evidence <> 'qr'
    GROUP BY h.invoice_number, h.upload_id, h.evidence
)

UPDATE judged AS j
SET outcome = 'conflict', code = 'conflict_waiting'
FROM waiting AS w
WHERE
    w.invoice_number = j.number AND w.age = 1 AND j.held_upload_id = 0
    AND j.outcome IN ('accepted', 'red', 'held')
    AND (
        w.net_fen <> j.net_fen OR w.tax_fen <> j.tax_fen
        OR w.provider_uscc <> j.provider_uscc OR w.company_uscc <> j.company_uscc
    )
