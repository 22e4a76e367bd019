-- grain:  inserts into entry one row per invoice number of the files, whole and without faults of its own
-- params: none (reads stage, several, context)
INSERT INTO entry (
    upload_id, number, kind, sheet, first_row, held_upload_id, issued_on, provider_uscc, provider_name, company_uscc,
    company_name, contract_no, original_number, span, rows, net_fen, tax_fen, gross_fen, paid_fen, digest, fault
)
WITH header AS (
    SELECT
        s.upload_id, s.invoice_number AS number, s.invoice_kind AS kind,
        s.sheet, s.row_no AS first_row, s.held_upload_id,
        s.issued_on, s.provider_uscc, s.provider_name, s.company_uscc, s.company_name,
        coalesce(s.contract_no, '') AS contract_no, s.original_number,
        CASE WHEN s.service_from IS NOT NULL THEN daterange(s.service_from, s.service_until, '[]')
            ELSE x.service_span END AS span,
        coalesce(v.rows, 1) AS rows,
        CASE WHEN v.rows IS NULL THEN s.net_fen ELSE CAST(v.net_fen AS bigint) END AS net_fen,
        CASE WHEN v.rows IS NULL THEN s.tax_fen ELSE CAST(v.tax_fen AS bigint) END AS tax_fen,
        CASE WHEN v.rows IS NULL THEN s.gross_fen ELSE CAST(v.gross_fen AS bigint) END AS gross_fen,
        CASE WHEN v.rows IS NULL THEN s.paid_fen ELSE CAST(v.paid_fen AS bigint) END AS paid_fen,
        coalesce(v.digest, s.digest) AS digest
    FROM stage AS s
    INNER JOIN context AS x ON x.upload_id = s.upload_id
    LEFT JOIN several AS v ON v.invoice_number = s.invoice_number AND v.held_upload_id = s.held_upload_id
    WHERE
        s.invoice_number IS NOT NULL
        AND (
            (v.rows IS NULL AND NOT s.has_error)
            OR (
                v.first_row = s.row_no AND v.first_sheet = s.sheet AND NOT v.has_error AND NOT v.identical
                AND NOT v.too_large AND cardinality(v.differing) = 0
            )
        )
)

SELECT
    h.*,
    CASE
        WHEN h.kind = 'blue' AND h.gross_fen < 0 THEN 'blue_negative'
        WHEN h.kind = 'red' AND h.gross_fen >= 0 THEN 'red_not_negative'
        WHEN CASE h.kind WHEN 'blue' THEN h.paid_fen < 0 ELSE h.paid_fen > 0 END THEN 'paid_sign'
        WHEN h.held_upload_id = 0 AND x.provider_uscc <> '' AND h.provider_uscc <> x.provider_uscc
            THEN 'not_the_uploader'
    END AS fault
FROM header AS h
INNER JOIN context AS x ON x.upload_id = h.upload_id
