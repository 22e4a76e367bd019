-- grain:  temporary table served, one row per claim with a line in an approved run: what it was granted so far
-- params: none (reads asked)
-- source: DESIGN 6.6; in a pro-rata run what was withheld or cut is final and counts as served
CREATE TEMPORARY TABLE served ON COMMIT DROP AS
SELECT
    l.company_id, l.invoice_id, l.cap_year,
    CAST(sum(l.granted_fen) AS bigint) AS granted_fen,
    CAST(sum(l.granted_fen + CASE WHEN r.pro_rata THEN l.withheld_fen + l.budget_cut_fen ELSE 0 END) AS bigint)
        AS served_fen
FROM run AS r
INNER JOIN asked AS a ON a.programme_id = r.programme_id
INNER JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'
INNER JOIN seal AS s ON s.act_id = d.act_id AND s.no <= a.cutoff
INNER JOIN run_line AS l ON l.run_id = r.run_id
GROUP BY l.company_id, l.invoice_id, l.cap_year
