-- grain:  one row: the last row handed in by the cutoff under a number that was not accepted, with its first problem
-- params: number, cutoff (seal number)
SELECT r.upload_id, u.file_name, r.sheet, r.row_no, r.outcome, coalesce(p.message, '') AS message
FROM upload_row AS r
INNER JOIN upload AS u ON u.upload_id = r.upload_id
INNER JOIN seal AS s ON s.act_id = r.upload_id
LEFT JOIN LATERAL (
    SELECT q.message
    FROM upload_problem AS q
    WHERE q.upload_id = r.upload_id AND q.sheet = r.sheet AND q.row_no = r.row_no AND q.severity <> 'warning'
    ORDER BY q.problem_no
    LIMIT 1
) AS p ON TRUE
WHERE r.invoice_number = :number AND s.no <= CAST(:cutoff AS bigint)
ORDER BY s.no DESC, r.sheet COLLATE "C", r.row_no
LIMIT 1
