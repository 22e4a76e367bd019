-- grain:  temporary table due, one row per settled claim that must not be paid as it stands, and why:
--         its worth is below what it was granted (recovery_due), or another subsidy was found (overlap_open)
-- params: none (reads the lines computed under run 0)
-- source: DESIGN 6.5 and 6.9
CREATE TEMPORARY TABLE due ON COMMIT DROP AS
SELECT l.company_id, l.invoice_id, l.cap_year, min(l.code COLLATE "C") AS code
FROM (
    SELECT d.company_id, d.invoice_id, d.cap_year, 'recovery_due' AS code
    FROM draft_line AS d
    WHERE d.run_id = 0 AND d.kind = 'recovery'
    UNION ALL
    SELECT d.company_id, d.invoice_id, d.cap_year, 'overlap_open'
    FROM draft_listed AS d
    WHERE d.run_id = 0 AND d.reasons @> '[{"code": "overlap_open"}]'
) AS l
GROUP BY l.company_id, l.invoice_id, l.cap_year
