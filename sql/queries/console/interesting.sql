-- grain:  one row: the settled invoice with most to explain (years, then reasons), the earliest accepted of them
-- params: none
SELECT i.number
FROM run_line AS l
INNER JOIN invoice AS i ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id
GROUP BY i.number
ORDER BY count(DISTINCT l.cap_year) DESC, sum(jsonb_array_length(l.reasons)) DESC, min(l.accepted_no)
LIMIT 1
