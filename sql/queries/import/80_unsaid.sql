-- grain:  one row per rejected row that no problem names yet: the rest of an invoice that failed elsewhere
-- params: none (reads stage, judged, found)
SELECT s.upload_id, 'sibling_row_failed' AS code, s.sheet, s.row_no, s.invoice_number, j.first_row AS other_row
FROM judged AS j
INNER JOIN stage AS s ON s.invoice_number = j.number AND s.held_upload_id = j.held_upload_id
WHERE j.outcome = 'rejected' AND j.rows > 1 AND s.held_upload_id = 0
    AND (s.row_no <> j.first_row OR s.sheet <> j.sheet)
UNION ALL
SELECT s.upload_id, 'sibling_row_failed', s.sheet, s.row_no, s.invoice_number, r.row_no
FROM several AS v
INNER JOIN stage AS s ON s.invoice_number = v.invoice_number AND s.held_upload_id = v.held_upload_id
INNER JOIN (
    SELECT f.invoice_number, min(f.row_no) AS row_no
    FROM found AS f
    WHERE f.code = 'identical_rows'
    GROUP BY f.invoice_number
) AS r ON r.invoice_number = v.invoice_number
WHERE
    v.identical AND NOT v.has_error AND cardinality(v.differing) = 0 AND s.held_upload_id = 0
    AND NOT EXISTS (
        SELECT FROM found AS f
        WHERE f.code = 'identical_rows' AND f.sheet = s.sheet AND f.row_no = s.row_no AND f.upload_id = s.upload_id
    )
