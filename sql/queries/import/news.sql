-- grain:  one row when a later upload of the same file ended otherwise than the earlier one, else none
-- params: upload_id, before
SELECT 1 AS news
WHERE
    EXISTS (SELECT FROM invoice AS i WHERE i.act_id = CAST(:upload_id AS bigint))
    OR EXISTS (
        (
            SELECT p.row_no, p.code FROM upload_problem AS p
            WHERE p.upload_id = CAST(:upload_id AS bigint) AND p.severity <> 'warning'
            EXCEPT
            SELECT p.row_no, p.code FROM upload_problem AS p WHERE p.upload_id = CAST(:before AS bigint)
        )
        UNION ALL
        (
            SELECT p.row_no, p.code FROM upload_problem AS p
            WHERE p.upload_id = CAST(:before AS bigint) AND p.severity <> 'warning'
            EXCEPT
            SELECT p.row_no, p.code FROM upload_problem AS p WHERE p.upload_id = CAST(:upload_id AS bigint)
        )
    )
