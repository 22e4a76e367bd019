-- grain:  temporary table refused, one row per claim of which the newest approved decision is a refusal
-- params: none (reads asked, cap)
-- source: DESIGN 6.5; a decision without a cap year speaks of every year
CREATE TEMPORARY TABLE refused ON COMMIT DROP AS
WITH spoken AS (
    SELECT DISTINCT ON (f.company_id, f.invoice_id, k.cap_year)
        f.company_id, f.invoice_id, k.cap_year, f.refused
    FROM refusal AS f
    INNER JOIN asked AS a ON a.programme_id = f.programme_id
    INNER JOIN seal AS s ON s.act_id = f.act_id AND s.no <= a.cutoff
    INNER JOIN cap AS k ON f.cap_year IS NULL OR f.cap_year = k.cap_year
    ORDER BY f.company_id, f.invoice_id, k.cap_year, s.no DESC
)

SELECT p.company_id, p.invoice_id, p.cap_year, p.refused
FROM spoken AS p
WHERE p.refused
