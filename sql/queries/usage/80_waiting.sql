-- grain:  one row per invoice number of a file of usage that is not there yet, and per company that a file names for an
--         invoice of another, in order
-- params: none (reads told, usage_company)
SELECT 'usage_invoice_missing' AS code, t.number, t.number AS value, t.lines AS count
FROM told AS t
WHERE t.invoice_id IS NULL
UNION ALL
SELECT DISTINCT 'usage_company_differs', t.number, c.company_uscc, 0
FROM usage_company AS c
INNER JOIN told AS t ON t.number = c.number
INNER JOIN party AS p ON p.party_id = t.company_id
WHERE p.uscc <> c.company_uscc
ORDER BY number, code, value
