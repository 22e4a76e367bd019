-- check:  the typed content kept for a row held or in conflict stands beside that row, under the same number;
--         an invoice accepted from it states the same money
-- title:  待核行的留存内容与上传一致
-- grain:  one row per held row that differs; no rows means all is well
-- params: none
-- source: DESIGN 7
SELECT
    s.no AS act_no, concat_ws(' ', u.file_name, '第' || coalesce(h.row_no, r.row_no) || '行') AS subject,
    CASE
        WHEN h.upload_id IS NULL THEN '该行记为待核或冲突，但没有留存内容。'
        WHEN r.upload_id IS NULL THEN '有留存内容，但该行并未记为待核或冲突。'
        WHEN r.invoice_number <> h.invoice_number
            THEN format('留存的发票号码%s与上传的%s不同。', h.invoice_number, r.invoice_number)
        ELSE format(
            '留存的价税合计%s元与受理的%s元不同。', round(CAST(h.content ->> 'gross_fen' AS bigint) / 100.0, 2),
            round(l.gross_fen / 100.0, 2)
        )
    END AS detail
FROM held_row AS h
FULL JOIN (SELECT w.* FROM upload_row AS w WHERE w.outcome IN ('held', 'conflict')) AS r
    ON r.upload_id = h.upload_id AND r.sheet = h.sheet AND r.row_no = h.row_no
LEFT JOIN invoice_number AS n ON n.number = h.invoice_number
LEFT JOIN invoice_line AS l
    ON l.company_id = n.company_id AND l.invoice_id = n.invoice_id AND l.upload_id = h.upload_id
    AND l.sheet = h.sheet AND l.row_no = h.row_no
INNER JOIN upload AS u ON u.upload_id = coalesce(h.upload_id, r.upload_id)
LEFT JOIN seal AS s ON s.act_id = u.upload_id
WHERE
    h.upload_id IS NULL OR r.upload_id IS NULL OR r.invoice_number <> h.invoice_number
    OR l.gross_fen <> CAST(h.content ->> 'gross_fen' AS bigint)
ORDER BY s.no, coalesce(h.row_no, r.row_no)
