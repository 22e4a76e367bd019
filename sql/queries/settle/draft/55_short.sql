-- grain:  temporary table short, one row per company and cap year that spent less than the year's minimum; none where
--         no document sets one
-- params: none (reads bill, part, limited, cap)
-- source: DESIGN 6.5; spent are the eligible slices of all accepted claims
CREATE TEMPORARY TABLE short ON COMMIT DROP AS
WITH spent AS (
    SELECT b.company_id, b.cap_year, coalesce(m.basis_fen, greatest(b.net_fen, 0)) AS basis_fen
    FROM bill AS b
    LEFT JOIN limited AS m ON m.company_id = b.company_id AND m.invoice_id = b.invoice_id
    WHERE b.doc_no IS NOT NULL AND EXISTS (SELECT FROM cap AS k WHERE k.min_spend_fen > 0)
    UNION ALL
    SELECT p.company_id, p.cap_year, p.basis_fen
    FROM part AS p
    WHERE EXISTS (SELECT FROM cap AS k WHERE k.min_spend_fen > 0)
)

SELECT s.company_id, s.cap_year, CAST(sum(s.basis_fen) AS bigint) AS spend_fen
FROM spent AS s
INNER JOIN cap AS k ON k.cap_year = s.cap_year
GROUP BY s.company_id, s.cap_year, k.min_spend_fen
HAVING sum(s.basis_fen) < k.min_spend_fen
