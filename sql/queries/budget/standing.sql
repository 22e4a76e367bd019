-- grain:  one row: whether a fiscal year was ever given money, and which run of it is open
-- params: fiscal_year
SELECT
    (SELECT count(*) FROM account AS a WHERE a.kind = 'appropriation' AND a.year = CAST(:fiscal_year AS integer)) > 0
        AS given,
    (SELECT min(o.run_id) FROM open_run AS o WHERE o.fiscal_year = CAST(:fiscal_year AS integer)) AS open_run
