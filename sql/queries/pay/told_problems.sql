-- grain:  one row per row of the result file that is neither news nor known, in order
-- params: none (reads told)
SELECT t.row_no, t.reference, t.verdict AS code
FROM told AS t
WHERE t.verdict NOT IN ('fresh', 'known')
ORDER BY t.row_no
