-- grain:  one row: how many rows of the result file are news (paid, returned), known and wrong
-- params: none (reads told)
SELECT
    count(*) FILTER (WHERE t.verdict = 'fresh' AND t.state = 'paid') AS paid,
    count(*) FILTER (WHERE t.verdict = 'fresh' AND t.state = 'returned') AS returned,
    count(*) FILTER (WHERE t.verdict = 'known') AS known,
    count(*) FILTER (WHERE t.verdict NOT IN ('fresh', 'known')) AS wrong
FROM told AS t
