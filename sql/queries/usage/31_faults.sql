-- grain:  one row per invoice number that forbids to take a file of usage, in order
-- params: none (reads told)
SELECT t.number, t.fault
FROM told AS t
WHERE t.fault IS NOT NULL
ORDER BY t.number
