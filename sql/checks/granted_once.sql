-- check:  a claim has at most one grant line in approved runs, and was never granted more in sum than its last
--         line computed, nor less than nothing
-- title:  每笔兑付只核定一次、不超过计算额
-- grain:  one row per claim (invoice, programme, cap year) that went wrong; no rows means all is well
-- params: none
-- source: DESIGN 6.6
WITH approved AS (
    SELECT r.run_id, r.programme_id, s.no
    FROM run AS r
    INNER JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'
    INNER JOIN seal AS s ON s.act_id = d.act_id
),

-- nearly all claims have one line; only those with more are followed from run to run
single AS (
    SELECT l.company_id, l.invoice_id, a.programme_id, l.cap_year
    FROM approved AS a
    INNER JOIN run_line AS l ON l.run_id = a.run_id
    GROUP BY l.company_id, l.invoice_id, a.programme_id, l.cap_year
    HAVING
        count(*) > 1 OR min(l.granted_fen) < 0 OR max(l.granted_fen) > min(l.computed_fen) OR min(l.kind) <> 'grant'
),

followed AS (
    SELECT
        l.company_id, l.invoice_id, a.programme_id, l.cap_year, a.no, l.computed_fen,
        count(*) FILTER (WHERE l.kind = 'grant') OVER w AS grants,
        sum(l.granted_fen) OVER w AS granted_fen
    FROM single AS g
    INNER JOIN run_line AS l
        ON l.company_id = g.company_id AND l.invoice_id = g.invoice_id AND l.cap_year = g.cap_year
    INNER JOIN approved AS a ON a.run_id = l.run_id AND a.programme_id = g.programme_id
    WINDOW w AS (PARTITION BY l.company_id, l.invoice_id, a.programme_id, l.cap_year ORDER BY a.no)
),

wrong AS (
    SELECT DISTINCT ON (f.company_id, f.invoice_id, f.programme_id, f.cap_year) f.*
    FROM followed AS f
    WHERE f.grants <> 1 OR f.granted_fen > f.computed_fen OR f.granted_fen < 0
    ORDER BY f.company_id, f.invoice_id, f.programme_id, f.cap_year, f.no
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
