-- check:  acts are numbered 1 to n without a gap and in order of time; acceptance numbers run on from act to act;
--         every act has its seal, every seal its act
-- title:  办理记录连号、按时序
-- grain:  one row per seal or act that is out of order; no rows means all is well
-- params: none
-- source: DESIGN 5, seal
WITH placed AS (
    SELECT i.act_id, count(*) AS invoices, max(i.place) AS last_place FROM invoice AS i GROUP BY i.act_id
),

ordered AS (
    SELECT
        s.no, s.act_id, s.recorded_at, s.accepted_before, s.accepted,
        row_number() OVER w AS expected_no,
        lag(s.recorded_at) OVER w AS earlier_at,
        sum(s.accepted) OVER w - s.accepted AS accepted_so_far
    FROM seal AS s
    WINDOW w AS (ORDER BY s.no)
),

wrong AS (
    SELECT o.no, o.act_id, format('封存号应为%s，实为%s。', o.expected_no, o.no) AS detail
    FROM ordered AS o
    WHERE o.no <> o.expected_no
    UNION ALL
    SELECT o.no, o.act_id, format('记录时间%s早于上一号的%s。', o.recorded_at, o.earlier_at)
    FROM ordered AS o
    WHERE o.recorded_at < o.earlier_at
    UNION ALL
    SELECT o.no, o.act_id, format('此前受理数记为%s，应为%s。', o.accepted_before, o.accepted_so_far)
    FROM ordered AS o
    WHERE o.accepted_before <> o.accepted_so_far
    UNION ALL
    SELECT o.no, o.act_id, format('本号受理数记为%s，实有发票%s张，末位%s。', o.accepted, p.invoices, p.last_place)
    FROM ordered AS o
    LEFT JOIN placed AS p ON p.act_id = o.act_id
    WHERE o.accepted <> coalesce(p.invoices, 0) OR o.accepted <> coalesce(p.last_place, 0)
    UNION ALL
    SELECT
        s.no, coalesce(a.act_id, s.act_id),
        CASE WHEN s.no IS NULL THEN '办理记录没有封存。' ELSE '封存没有对应的办理记录。' END
    FROM act AS a
    FULL JOIN seal AS s ON s.act_id = a.act_id
    WHERE a.act_id IS NULL OR s.act_id IS NULL
)

SELECT w.no AS act_no, coalesce(a.kind || ' ' || a.reference, '办理 ' || w.act_id) AS subject, w.detail
FROM wrong AS w
LEFT JOIN act AS a ON a.act_id = w.act_id
ORDER BY w.no, w.detail
