-- grain:  one row: how many sums by invoice, day and unit a file of usage would give
-- params: none (reads usage_stage)
SELECT coalesce(sum(d.last_day - d.first_day + 1), 0) AS days
FROM (SELECT DISTINCT s.number, s.first_day, s.last_day, s.unit FROM usage_stage AS s) AS d
