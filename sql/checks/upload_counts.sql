-- check:  an upload's counts add up to its rows, and each count is the rows on record
-- title:  上传行数逐项相符
-- grain:  one row per upload that differs; no rows means all is well
-- params: none
-- source: DESIGN 7; accepted counts the lines that the upload's own act accepted, held those held at that time,
--         lines of usage among both: a held row that a later act accepts keeps its upload, and is counted there as
--         held for ever
WITH lines AS (
    SELECT l.upload_id, count(*) AS lines FROM invoice_line AS l GROUP BY l.upload_id
),

-- lines of held rows, and of rows that a person decided for, are later acts'; the check upload_rows sees to it that
-- they are, and that no others are
later AS (
    SELECT r.upload_id, count(*) AS lines
    FROM upload_row AS r
    INNER JOIN invoice_line AS l ON l.upload_id = r.upload_id AND l.sheet = r.sheet AND l.row_no = r.row_no
    WHERE r.outcome IN ('held', 'conflict')
    GROUP BY r.upload_id
),

usage AS (
    SELECT
        k.upload_id, CAST(sum(k.accepted) AS bigint) AS accepted, CAST(sum(k.held) AS bigint) AS held
    FROM (
        SELECT m.upload_id, m.lines AS accepted, 0 AS held FROM metering AS m WHERE m.act_id = m.upload_id
        UNION ALL
        SELECT h.upload_id, 0, h.lines FROM held_usage AS h
    ) AS k
    GROUP BY k.upload_id
),

outcomes AS (
    SELECT
        r.upload_id,
        count(*) FILTER (WHERE r.outcome = 'duplicate') AS duplicate,
        count(*) FILTER (WHERE r.outcome = 'conflict') AS conflict,
        count(*) FILTER (WHERE r.outcome = 'rejected') AS rejected,
        count(*) FILTER (WHERE r.outcome = 'held') AS held
    FROM upload_row AS r
    GROUP BY r.upload_id
),

counted AS (
    SELECT
        u.upload_id, u.file_name,
        ARRAY[u.accepted, u.duplicate, u.conflict, u.rejected, u.held] AS stated,
        u.rows,
        ARRAY[
            coalesce(l.lines, 0) - coalesce(a.lines, 0) + coalesce(g.accepted, 0), coalesce(o.duplicate, 0),
            coalesce(o.conflict, 0), coalesce(o.rejected, 0), coalesce(o.held, 0) + coalesce(g.held, 0)
        ] AS found
    FROM upload AS u
    LEFT JOIN lines AS l ON l.upload_id = u.upload_id
    LEFT JOIN later AS a ON a.upload_id = u.upload_id
    LEFT JOIN outcomes AS o ON o.upload_id = u.upload_id
    LEFT JOIN usage AS g ON g.upload_id = u.upload_id
)

SELECT
    s.no AS act_no, c.file_name AS subject,
    format(
        '上传%s行，登记为受理、重复、冲突、退回、待核各%s行，实有%s行。', c.rows, array_to_string(c.stated, '、'),
        array_to_string(c.found, '、')
    ) AS detail
FROM counted AS c
LEFT JOIN seal AS s ON s.act_id = c.upload_id
WHERE c.stated <> c.found OR c.rows <> (SELECT sum(x.rows) FROM unnest(c.stated) AS x (rows))
ORDER BY s.no
