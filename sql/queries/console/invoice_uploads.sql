-- grain:  one row per row of a file that named an invoice number and was not accepted then, in order, up to the cutoff
-- params: number, cutoff (seal number)
-- messages: of the row, and why what waited was refused when what it waited for came
SELECT
    r.upload_id, u.file_name, r.sheet, r.row_no, r.outcome, s.no AS act_no, s.recorded_at, u.received_on,
    concat_ws(chr(10), string_agg(p.message, chr(10) ORDER BY p.problem_no), (
        SELECT string_agg(DISTINCT l.message, chr(10))
        FROM upload_problem AS l
        INNER JOIN seal AS t ON t.act_id = l.upload_id AND t.no > s.no AND t.no <= CAST(:cutoff AS bigint)
        WHERE
            r.outcome = 'held' AND l.invoice_number = r.invoice_number AND l.row_no IS NULL AND l.severity = 'error'
    )) AS messages
FROM upload_row AS r
INNER JOIN upload AS u ON u.upload_id = r.upload_id
INNER JOIN seal AS s ON s.act_id = r.upload_id AND s.no <= CAST(:cutoff AS bigint)
LEFT JOIN upload_problem AS p
    ON p.upload_id = r.upload_id AND p.sheet = r.sheet AND p.row_no = r.row_no AND p.severity <> 'blocking'
WHERE r.invoice_number = :number
GROUP BY
    r.upload_id, u.file_name, r.sheet, r.row_no, r.outcome, r.invoice_number, s.no, s.recorded_at, u.received_on
ORDER BY s.no, r.row_no
