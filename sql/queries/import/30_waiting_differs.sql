-- grain:  updates the invoices that a waiting document of another kind states otherwise: other money, or other parties
--         when it is the better kind
-- params: none (reads judged, context)
-- source: DESIGN 7; the documents of one number must agree to the fen, whichever comes first; a QR code alone states
--         one amount, gross or net, and either may agree; what another provider handed in is left where it is, and
--         what is doubtful itself speaks against no better document
WITH waiting AS (
    SELECT h.invoice_number, h.upload_id, h.evidence, r.better,
        row_number() OVER (PARTITION BY h.invoice_number, h.evidence ORDER BY h.upload_id DESC) AS age,
        bool_or(num_nulls(h.content ->> 'net_fen', h.content ->> 'tax_fen') > 0) AS partial,
        min(coalesce(
            CAST(h.content ->> 'gross_fen' AS bigint), CAST(h.content ->> 'net_fen' AS bigint)
        )) AS amount_fen,
        sum(CAST(h.content ->> 'net_fen' AS bigint)) AS net_fen,
        sum(CAST(h.content ->> 'tax_fen' AS bigint)) AS tax_fen,
        min(h.content ->> 'provider_uscc') AS provider_uscc, min(h.content ->> 'company_uscc') AS company_uscc
    FROM held_row AS h
    INNER JOIN judged AS g ON g.number = h.invoice_number AND g.held_upload_id = 0
    INNER JOIN context AS x ON x.upload_id = g.upload_id AND x.evidence <> h.evidence
    INNER JOIN upload AS u ON u.upload_id = h.upload_id AND u.provider_uscc IN ('', g.provider_uscc)
    CROSS JOIN LATERAL (SELECT evidence_rank(h.evidence) > evidence_rank(x.evidence) AS better) AS r
    WHERE h.waits_for <> 'resolution' AND (h.waits_for <> 'confirmation' OR h.evidence = 'qr' OR r.better)
    GROUP BY h.invoice_number, h.upload_id, h.evidence, r.better
)

UPDATE judged AS j
SET outcome = 'conflict', code = 'conflict_waiting'
FROM waiting AS w
WHERE
    w.invoice_number = j.number AND w.age = 1 AND j.held_upload_id = 0
    AND j.outcome IN ('accepted', 'red', 'held')
    AND (
        CASE
            WHEN w.partial THEN w.amount_fen NOT IN (j.gross_fen, j.net_fen)
            WHEN num_nulls(j.net_fen, j.tax_fen) > 0
                THEN coalesce(j.gross_fen, j.net_fen) NOT IN (w.net_fen + w.tax_fen, w.net_fen)
            ELSE w.net_fen <> j.net_fen OR w.tax_fen <> j.tax_fen
        END
        OR (w.better AND (w.provider_uscc <> j.provider_uscc OR w.company_uscc <> j.company_uscc))
    )
