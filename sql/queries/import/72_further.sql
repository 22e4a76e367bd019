-- grain:  temporary table further, one row per row of a further document of an accepted invoice
-- params: none (reads judged, stage, context)
-- source: DESIGN 7; another kind with the same money is kept as evidence: an upload's own for a number accepted before,
--         and the newest waiting one of each other kind for a number that its act accepts,
--         unless another provider handed it in
CREATE TEMPORARY TABLE further ON COMMIT DROP AS
WITH own AS (
    SELECT i.company_id, i.invoice_id, x.evidence AS kind, x.upload_id, x.upload_id AS act_id, j.number
    FROM judged AS j
    INNER JOIN context AS x ON x.upload_id = j.upload_id
    INNER JOIN invoice_number AS n ON n.number = j.number
    INNER JOIN invoice AS i ON i.company_id = n.company_id AND i.invoice_id = n.invoice_id
    WHERE
        j.outcome = 'duplicate' AND j.held_upload_id = 0 AND i.evidence <> x.evidence
        AND NOT EXISTS (
            SELECT FROM evidence AS e
            WHERE e.company_id = i.company_id AND e.invoice_id = i.invoice_id AND e.kind = x.evidence
        )
),

waiting AS (
    SELECT
        j.company_id, j.invoice_id, h.evidence AS kind, h.upload_id, j.upload_id AS act_id, j.number,
        row_number() OVER (PARTITION BY j.number, h.evidence ORDER BY h.upload_id DESC) AS age,
        CASE
            WHEN h.evidence = 'qr' AND bool_or(num_nulls(h.content ->> 'net_fen', h.content ->> 'tax_fen') > 0)
                THEN bool_or(
                    coalesce(CAST(h.content ->> 'gross_fen' AS bigint), CAST(h.content ->> 'net_fen' AS bigint))
                    IN (j.gross_fen, j.net_fen)
                )
            ELSE sum(CAST(h.content ->> 'net_fen' AS bigint)) = j.net_fen
                AND sum(CAST(h.content ->> 'tax_fen' AS bigint)) = j.tax_fen
        END AS same
    FROM held_row AS h
    INNER JOIN judged AS j ON j.number = h.invoice_number AND j.outcome = 'accepted'
    INNER JOIN invoice AS i ON i.company_id = j.company_id AND i.invoice_id = j.invoice_id AND i.evidence <> h.evidence
    INNER JOIN upload AS u ON u.upload_id = h.upload_id AND u.provider_uscc IN ('', j.provider_uscc)
    WHERE h.waits_for <> 'resolution' AND (h.waits_for <> 'confirmation' OR h.evidence = 'qr')
    GROUP BY
        j.company_id, j.invoice_id, h.evidence, h.upload_id, j.upload_id, j.number, j.net_fen, j.tax_fen, j.gross_fen
)

SELECT
    o.company_id, o.invoice_id, o.kind, o.upload_id, o.act_id, s.sheet, s.row_no, s.digest,
    s.service_from, s.service_until,
    s.tax_code, s.item, s.spec, s.unit, s.usage_qty, s.net_fen, s.rate_bp, s.tax_fen, s.gross_fen, s.remark,
    s.contract_no, s.paid_fen
FROM own AS o
INNER JOIN stage AS s ON s.invoice_number = o.number AND s.held_upload_id = 0
UNION ALL
SELECT
    w.company_id, w.invoice_id, w.kind, w.upload_id, w.act_id, h.sheet, h.row_no, h.digest,
    c.service_from, c.service_until,
    c.tax_code, c.item, c.spec, c.unit, c.usage_qty, c.net_fen, c.rate_bp, c.tax_fen, c.gross_fen, c.remark,
    c.contract_no, c.paid_fen
FROM waiting AS w
INNER JOIN held_row AS h ON h.upload_id = w.upload_id AND h.invoice_number = w.number
CROSS JOIN LATERAL jsonb_to_record(h.content) AS c (
    service_from date, service_until date, tax_code text, item text, spec text, unit text, usage_qty numeric,
    net_fen bigint, rate_bp integer, tax_fen bigint, gross_fen bigint, remark text,
    contract_no text, paid_fen bigint
)
WHERE w.age = 1 AND w.same
