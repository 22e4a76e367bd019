-- check:  a claim has at most one grant line in approved runs, and was never granted more in sum than its last
--         line computed, nor less than nothing
-- title:  每笔兑付只核定一次、不超过计算额
-- grain:  one row per claim (invoice, programme, cap year) that went wrong; no rows means all is well
-- params: none
-- source: DESIGN 6.6
WITH approved AS (
    SELECT r.run_id, r.programme_id, s.no, dense_rank() OVER (ORDER BY r.programme_id) AS programme_no
    FROM run AS r
    INNER JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'
    INNER JOIN seal AS s ON s.act_id = d.act_id
),

-- nearly all claims have one line; only the others are followed from run to run
followed AS (
    SELECT l.company_id, l.invoice_id, l.cap_year, a.programme_no
    FROM approved AS a
    INNER JOIN run_line AS l ON l.run_id = a.run_id
    GROUP BY l.company_id, l.invoice_id, l.cap_year, a.programme_no
    HAVING count(*) > 1 OR bool_or(l.kind <> 'grant' OR l.granted_fen < 0 OR l.granted_fen > l.computed_fen)
),

history AS (
    SELECT
        l.company_id, l.invoice_id, l.cap_year, a.programme_no, a.no, l.computed_fen,
        count(*) FILTER (WHERE l.kind = 'grant') OVER w AS grants,
        sum(l.granted_fen) OVER w AS granted_fen
    FROM followed AS f
    INNER JOIN run_line AS l
        ON l.company_id = f.company_id AND l.invoice_id = f.invoice_id AND l.cap_year = f.cap_year
        AND EXISTS (SELECT FROM followed)
    INNER JOIN approved AS a ON a.run_id = l.run_id AND a.programme_no = f.programme_no
    WINDOW w AS (PARTITION BY l.company_id, l.invoice_id, l.cap_year, a.programme_no ORDER BY a.no)
),

wrong AS (
    SELECT DISTINCT ON (h.company_id, h.invoice_id, h.cap_year, h.programme_no) h.*
    FROM history AS h
    WHERE h.grants <> 1 OR h.granted_fen > h.computed_fen OR h.granted_fen < 0
    ORDER BY h.company_id, h.invoice_id, h.cap_year, h.programme_no, h.no
)

SELECT
    w.no AS act_no, i.number || ' ' || w.cap_year AS subject,
    format(
        '核定行%s条，累计核定%s元，最近一次计算额%s元。', w.grants, round(w.granted_fen / 100.0, 2),
        round(w.computed_fen / 100.0, 2)
    ) AS detail
FROM wrong AS w
INNER JOIN invoice AS i ON i.company_id = w.company_id AND i.invoice_id = w.invoice_id
ORDER BY w.no, i.number
