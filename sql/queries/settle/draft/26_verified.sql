-- grain:  temporary table verified, one row per invoice that the tax platform has confirmed; none when no document asks
-- params: none (reads asked, doc)
CREATE TEMPORARY TABLE verified ON COMMIT DROP AS
SELECT n.company_id, n.invoice_id
FROM verification_at((SELECT a.cutoff FROM asked AS a)) AS v
INNER JOIN invoice_number AS n ON n.number = v.invoice_number
WHERE v.result = 'same' AND EXISTS (SELECT FROM doc AS d WHERE d.own AND d.verify)
