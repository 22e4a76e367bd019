-- grain:  one row per later upload of the same file that ended otherwise than the earlier one
-- params: pairs (jsonb: upload_id, before)
-- An accepted row of the earlier one is a duplicate in the later one, so duplicates are left out on both sides.
WITH pair AS (
    SELECT p.upload_id, p.before
    FROM jsonb_to_recordset(CAST(:pairs AS jsonb)) AS p (upload_id bigint, before bigint)
),

ending AS (
    SELECT p.upload_id, r.upload_id AS said_by, r.sheet, r.row_no, r.outcome AS word
    FROM pair AS p
    INNER JOIN upload_row AS r ON r.upload_id IN (p.upload_id, p.before)
    WHERE r.outcome <> 'duplicate'
    UNION ALL
    SELECT p.upload_id, q.upload_id, q.sheet, q.row_no, q.code
    FROM pair AS p
    INNER JOIN upload_problem AS q ON q.upload_id IN (p.upload_id, p.before)
    WHERE q.severity <> 'warning'
)

SELECT p.upload_id
FROM pair AS p
WHERE
    EXISTS (SELECT FROM invoice AS i WHERE i.act_id = p.upload_id)
    OR EXISTS (
        SELECT
        FROM ending AS e
        WHERE e.upload_id = p.upload_id
        GROUP BY e.sheet, e.row_no, e.word
        HAVING count(DISTINCT e.said_by) = 1
    )
