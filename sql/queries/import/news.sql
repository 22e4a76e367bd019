-- grain:  one row when a later upload of the same file ended otherwise than the earlier one, else none
-- params: upload_id, before
-- An accepted row of the earlier one is a duplicate in the later one, so duplicates are left out on both sides.
WITH ending AS (
    SELECT r.upload_id, r.sheet, r.row_no, r.outcome AS word
    FROM upload_row AS r
    WHERE r.upload_id IN (CAST(:upload_id AS bigint), CAST(:before AS bigint)) AND r.outcome <> 'duplicate'
    UNION ALL
    SELECT p.upload_id, p.sheet, p.row_no, p.code
    FROM upload_problem AS p
    WHERE p.upload_id IN (CAST(:upload_id AS bigint), CAST(:before AS bigint)) AND p.severity <> 'warning'
)

SELECT 1 AS news
WHERE
    EXISTS (SELECT FROM invoice AS i WHERE i.act_id = CAST(:upload_id AS bigint))
    OR EXISTS (
        SELECT
        FROM ending AS e
        GROUP BY e.sheet, e.row_no, e.word
        HAVING count(DISTINCT e.upload_id) = 1
    )
