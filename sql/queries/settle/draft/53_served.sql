-- grain:  temporary table served, one row per claim with a line in an approved run: what it was granted so far
--         policy_ids: the documents of its year, for a claim of which no day counts any more
-- params: none (reads asked, doc, cap, touched)
-- source: DESIGN 6.6; in a pro-rata run what was withheld or cut is final and counts as served, but not of a
--         company-year that had no voucher to draw on, where vouchers are applied for
CREATE TEMPORARY TABLE served ON COMMIT DROP AS
-- a year that is no longer covered: the last document says so by its end
WITH last_document AS (
    SELECT d.policy_ids FROM doc AS d WHERE d.own ORDER BY lower(d.force) DESC LIMIT 1
)

SELECT
    l.company_id, l.invoice_id, l.cap_year, max(l.accepted_no) AS accepted_no,
    CAST(sum(l.granted_fen) AS bigint) AS granted_fen,
    CAST(sum(l.granted_fen + CASE WHEN f.final THEN l.withheld_fen + l.budget_cut_fen ELSE 0 END) AS bigint)
        AS served_fen,
    coalesce(k.policy_ids, e.policy_ids) AS policy_ids
FROM run AS r
INNER JOIN asked AS a ON a.programme_id = r.programme_id
INNER JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'
INNER JOIN seal AS s ON s.act_id = d.act_id AND s.no <= a.cutoff
INNER JOIN run_line AS l ON l.run_id = r.run_id
INNER JOIN touched AS t ON t.company_id = l.company_id
CROSS JOIN LATERAL (
    SELECT
        r.pro_rata
        AND (
            EXISTS (
                SELECT FROM voucher AS v
                INNER JOIN seal AS i ON i.act_id = v.act_id
                WHERE
                    v.programme_id = r.programme_id AND v.company_id = l.company_id AND v.cap_year = l.cap_year
                    AND i.no <= s.no
            )
            OR EXISTS (
                SELECT FROM run_line AS o
                WHERE
                    o.company_id = l.company_id AND o.run_id = l.run_id AND o.cap_year = l.cap_year
                    AND (o.granted_fen <> 0 OR o.budget_cut_fen <> 0)
            )
        ) AS final
) AS f
CROSS JOIN last_document AS e
LEFT JOIN cap AS k ON k.cap_year = l.cap_year
GROUP BY l.company_id, l.invoice_id, l.cap_year, k.policy_ids, e.policy_ids
