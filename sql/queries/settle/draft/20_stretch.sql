-- grain:  temporary table stretch, one row per company and unbroken days of one cap year and one document in force
--         on which the company is qualified: what lies whole within one needs no further slicing
-- params: none (reads asked, doc, cap, touched)
-- source: DESIGN 6.2, 6.3 and 6.10; handed in after until_on a claim of the year is late
CREATE TEMPORARY TABLE stretch ON COMMIT DROP AS
WITH covered AS (
    SELECT
        d.doc_no, d.categories, y.year AS cap_year,
        d.force * daterange(make_date(y.year, 1, 1), make_date(y.year + 1, 1, 1)) AS days,
        k.deadline_on AS until_on
    FROM doc AS d
    CROSS JOIN asked AS a
    CROSS JOIN LATERAL generate_series(
        CAST(extract(YEAR FROM lower(d.force)) AS integer),
        CAST(least(extract(YEAR FROM upper(d.force) - 1), extract(YEAR FROM a.through_on)) AS integer)
    ) AS y (year)
    INNER JOIN cap AS k ON k.cap_year = y.year
    WHERE d.own
)

SELECT q.company_id, c.doc_no, c.cap_year, c.until_on, unnest(range_agg(q.span * c.days)) AS days
FROM qualification_at((SELECT a.cutoff FROM asked AS a)) AS q
INNER JOIN touched AS k ON k.company_id = q.company_id
INNER JOIN covered AS c ON q.category = ANY(c.categories) AND q.span && c.days
GROUP BY q.company_id, c.doc_no, c.cap_year, c.until_on
