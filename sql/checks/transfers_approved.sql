-- check:  a transfer of a settlement line belongs to a run that was approved, and to no act before the approval;
--         every run has as many lines as it states
-- title:  转账只出自已批准的批次
-- grain:  one row per run and act that went wrong; no rows means all is well
-- params: none
-- source: DESIGN 5, proposal: the approval owns every row of its effect
WITH moved AS (
    SELECT t.run_id, t.act_id, count(*) AS transfers, sum(t.amount_fen) AS fen
    FROM transfer AS t
    WHERE t.run_id IS NOT NULL
    GROUP BY t.run_id, t.act_id
),

counted AS (
    SELECT l.run_id, count(*) AS lines FROM run_line AS l GROUP BY l.run_id
)

SELECT
    s.no AS act_no, m.run_id || '' AS subject,
    format(
        '批次%s%s，却有%s笔转账，合计%s元。', m.run_id,
        CASE
            WHEN d.verdict IS NULL THEN '尚未复核' WHEN d.verdict <> 'approved' THEN '未获批准' ELSE '的转账早于批准'
        END,
        m.transfers, round(m.fen / 100.0, 2)
    ) AS detail
FROM moved AS m
LEFT JOIN seal AS s ON s.act_id = m.act_id
LEFT JOIN run AS r ON r.run_id = m.run_id
LEFT JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id
LEFT JOIN seal AS ds ON ds.act_id = d.act_id
WHERE coalesce(d.verdict <> 'approved' OR s.no < ds.no, TRUE)
UNION ALL
SELECT s.no, r.run_id || '', format('批次%s登记%s行，实有%s行。', r.run_id, r.lines, coalesce(c.lines, 0))
FROM run AS r
INNER JOIN seal AS s ON s.act_id = r.act_id
LEFT JOIN counted AS c ON c.run_id = r.run_id
WHERE r.lines <> coalesce(c.lines, 0)
ORDER BY act_no, subject
