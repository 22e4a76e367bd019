-- grain:  inserts the problems that invoices have in themselves: rows that disagree, repeat or belong to another
-- params: none (reads stage, several, entry, context)
INSERT INTO found (upload_id, code, sheet, row_no, column_name, value, invoice_number, words)
SELECT
    s.upload_id, 'header_fields_differ', s.sheet, s.row_no, array_to_string(v.differing, '、'), '',
    s.invoice_number, '{}'
FROM several AS v
INNER JOIN stage AS s ON s.invoice_number = v.invoice_number AND s.held_upload_id = v.held_upload_id
WHERE cardinality(v.differing) > 0 AND v.held_upload_id = 0
UNION ALL
SELECT
    t.upload_id, 'identical_rows', t.sheet, t.row_no, '', '', t.invoice_number,
    jsonb_build_object('other_row', t.first_row)
FROM (
    SELECT
        s.upload_id, s.sheet, s.row_no, s.invoice_number,
        first_value(s.row_no) OVER w AS first_row, row_number() OVER w AS turn
    FROM several AS v
    INNER JOIN stage AS s ON s.invoice_number = v.invoice_number AND s.held_upload_id = v.held_upload_id
    INNER JOIN context AS x ON x.upload_id = s.upload_id
    WHERE v.identical AND v.held_upload_id = 0
    WINDOW w AS (
        PARTITION BY s.invoice_number, CASE x.evidence WHEN 'export' THEN s.raw ELSE s.digest END
        ORDER BY s.row_no, s.sheet COLLATE "C"
    )
) AS t
WHERE t.turn > 1
UNION ALL
SELECT
    s.upload_id, 'sibling_row_failed', s.sheet, s.row_no, '', '', s.invoice_number,
    jsonb_build_object('other_row', v.wrong_row)
FROM several AS v
INNER JOIN stage AS s ON s.invoice_number = v.invoice_number AND s.held_upload_id = v.held_upload_id
WHERE v.has_error AND NOT s.has_error AND v.held_upload_id = 0
UNION ALL
SELECT
    e.upload_id, e.fault, e.sheet, e.first_row,
    CASE e.fault
        WHEN 'not_the_uploader' THEN '供方统一社会信用代码'
        WHEN 'paid_sign' THEN '已付金额'
        ELSE '价税合计'
    END,
    CASE e.fault
        WHEN 'not_the_uploader' THEN e.provider_uscc
        ELSE CAST(CAST(
            CASE e.fault WHEN 'paid_sign' THEN e.paid_fen ELSE e.gross_fen END AS numeric
        ) / 100 AS numeric(20, 2)) || ''
    END,
    e.number, '{}'
FROM entry AS e
WHERE e.fault IS NOT NULL AND e.held_upload_id = 0
UNION ALL
SELECT
    s.upload_id, 'amount_too_large', s.sheet, s.row_no, '价税合计',
    CAST(greatest(abs(v.net_fen), abs(v.tax_fen), abs(v.gross_fen), abs(v.paid_fen)) / 100 AS numeric(30, 2)) || '',
    s.invoice_number, '{}'
FROM several AS v
INNER JOIN stage AS s ON s.invoice_number = v.invoice_number AND s.held_upload_id = v.held_upload_id
WHERE v.too_large AND v.held_upload_id = 0
