-- check:  each row of a file ended in one way: an accepted line, or a row that was not accepted; only a held row,
--         or one in conflict that a person decided for, may become a line of a later act
-- title:  上传的每一行只有一个结果
-- grain:  one row per row of a file that ended twice, or was accepted later without having been held
-- params: none
-- source: DESIGN 7
WITH word (outcome, word) AS (
    VALUES ('duplicate', '重复'), ('conflict', '冲突'), ('rejected', '退回'), ('held', '待核')
),

twice AS (
    SELECT l.upload_id, l.sheet, l.row_no, count(*) AS lines
    FROM invoice_line AS l
    GROUP BY l.upload_id, l.sheet, l.row_no
    HAVING count(*) > 1
),

later AS (
    SELECT l.upload_id, l.sheet, l.row_no, i.act_id, i.number
    FROM invoice_line AS l
    LEFT JOIN invoice AS i ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id
    WHERE i.act_id IS DISTINCT FROM l.upload_id
),

both_ways AS (
    SELECT r.upload_id, r.sheet, r.row_no, k.word, i.act_id
    FROM upload_row AS r
    INNER JOIN word AS k ON k.outcome = r.outcome
    INNER JOIN invoice_line AS l ON l.upload_id = r.upload_id AND l.sheet = r.sheet AND l.row_no = r.row_no
    INNER JOIN invoice AS i ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id
    WHERE
        i.act_id = r.upload_id
        OR (
            r.outcome <> 'held'
            AND NOT (r.outcome = 'conflict' AND i.act_id IN (SELECT d.act_id FROM resolution AS d))
        )
),

wrong AS (
    SELECT t.upload_id AS act_id, t.upload_id, t.sheet, t.row_no, format('同一行受理了%s次。', t.lines) AS detail
    FROM twice AS t
    UNION ALL
    SELECT b.act_id, b.upload_id, b.sheet, b.row_no, format('该行既已受理，又记为%s。', b.word)
    FROM both_ways AS b
    UNION ALL
    SELECT
        l.act_id, l.upload_id, l.sheet, l.row_no,
        coalesce('发票' || l.number || '由另一次办理受理，但该行上传时并无待核记录。', '该行没有对应的发票。')
    FROM later AS l
    LEFT JOIN upload_row AS r ON r.upload_id = l.upload_id AND r.sheet = l.sheet AND r.row_no = l.row_no
    WHERE r.upload_id IS NULL OR l.act_id IS NULL
)

SELECT
    s.no AS act_no, concat_ws(' ', u.file_name, nullif(w.sheet, ''), '第' || w.row_no || '行') AS subject, w.detail
FROM wrong AS w
INNER JOIN upload AS u ON u.upload_id = w.upload_id
LEFT JOIN seal AS s ON s.act_id = w.act_id
ORDER BY s.no, w.upload_id, w.sheet, w.row_no
