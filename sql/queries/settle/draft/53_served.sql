-- grain:  temporary table served, one row per claim with a line in an approved run: what it was granted so far
--         policy_ids: the documents of its year, for a claim of which no day counts any more
-- params: none (reads asked, doc, cap, touched)
-- source: DESIGN 6.6 and 6.8; what is final counts as served
CREATE TEMPORARY TABLE served ON COMMIT DROP AS
-- a year that is no longer covered: the last document says so by its end
WITH last_document AS (
    SELECT d.policy_ids FROM doc AS d WHERE d.own ORDER BY lower(d.force) DESC LIMIT 1
)

SELECT
    l.company_id, l.invoice_id, l.cap_year, max(l.accepted_no) AS accepted_no,
    CAST(sum(l.granted_fen) AS bigint) AS granted_fen,
    CAST(sum(l.granted_fen + CASE WHEN l.final THEN l.withheld_fen + l.budget_cut_fen ELSE 0 END) AS bigint)
        AS served_fen,
    coalesce(k.policy_ids, e.policy_ids) AS policy_ids
FROM asked AS a
CROSS JOIN LATERAL settled_at(a.cutoff) AS l
INNER JOIN touched AS t ON t.company_id = l.company_id
CROSS JOIN last_document AS e
LEFT JOIN cap AS k ON k.cap_year = l.cap_year
WHERE l.programme_id = a.programme_id
GROUP BY l.company_id, l.invoice_id, l.cap_year, k.policy_ids, e.policy_ids
