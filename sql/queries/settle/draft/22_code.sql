-- grain:  temporary table code, one row per own document, tax code in use and stretch of first service days
-- params: none (reads doc, touched)
-- source: DESIGN 6.2; a line belongs to the programme in force with the longest matching prefix, and is never paid
--         twice: what a programme in force had at first stays with it as long as any document of it is in force
--         since: the first days of a service span for which lost_on holds, the days on which the line is a rival's
CREATE TEMPORARY TABLE code ON COMMIT DROP AS
WITH RECURSIVE used AS (
    SELECT l.tax_code FROM invoice_line AS l INNER JOIN touched AS k ON k.company_id = l.company_id
    UNION
    SELECT e.tax_code FROM evidence_line AS e INNER JOIN touched AS k ON k.company_id = e.company_id
),

matched AS (
    SELECT
        d.doc_no, d.own, d.force, u.tax_code,
        (SELECT max(length(p.prefix)) FROM unnest(d.prefixes) AS p (prefix) WHERE starts_with(u.tax_code, p.prefix))
            AS match_length,
        max(upper(d.force)) OVER (PARTITION BY d.programme_id, u.tax_code) AS until_on
    FROM doc AS d
    CROSS JOIN used AS u
),

contested AS (
    SELECT m.* FROM matched AS m
    WHERE
        m.match_length IS NOT NULL
        AND EXISTS (SELECT FROM matched AS r WHERE NOT r.own AND r.tax_code = m.tax_code AND r.match_length > 0)
),

edge AS (
    SELECT c.tax_code, lower(c.force) AS on_day FROM contested AS c
    UNION
    SELECT c.tax_code, upper(c.force) FROM contested AS c
    UNION
    SELECT DISTINCT c.tax_code, CAST(NULL AS date) FROM contested AS c
),

stretch_of_first_days AS (
    SELECT
        e.tax_code,
        daterange(e.on_day, lead(e.on_day) OVER (PARTITION BY e.tax_code ORDER BY e.on_day NULLS FIRST)) AS since
    FROM edge AS e
),

-- who has the line first, and who once that programme has ended
held_by AS (
    SELECT s.tax_code, s.since, f.own, f.from_on, f.until_on
    FROM stretch_of_first_days AS s
    CROSS JOIN LATERAL (
        SELECT c.own, greatest(lower(c.force), lower(s.since)) AS from_on, c.until_on
        FROM contested AS c
        WHERE c.tax_code = s.tax_code AND (lower(s.since) IS NULL OR upper(c.force) > lower(s.since))
        ORDER BY greatest(lower(c.force), lower(s.since)), c.match_length DESC
        LIMIT 1
    ) AS f
    UNION ALL
    SELECT h.tax_code, h.since, f.own, f.from_on, f.until_on
    FROM held_by AS h
    CROSS JOIN LATERAL (
        SELECT c.own, greatest(lower(c.force), h.until_on) AS from_on, c.until_on
        FROM contested AS c
        WHERE c.tax_code = h.tax_code AND upper(c.force) > h.until_on
        ORDER BY greatest(lower(c.force), h.until_on), c.match_length DESC
        LIMIT 1
    ) AS f
),

lost AS (
    SELECT
        s.tax_code, s.since,
        coalesce(range_agg(daterange(h.from_on, h.until_on)) FILTER (WHERE NOT h.own), '{}') AS lost_on
    FROM stretch_of_first_days AS s
    LEFT JOIN held_by AS h ON h.tax_code = s.tax_code AND h.since = s.since
    GROUP BY s.tax_code, s.since
)

SELECT
    m.doc_no, m.tax_code, m.match_length IS NOT NULL AS eligible, coalesce(l.since, '(,)') AS since,
    coalesce(l.lost_on, '{}') AS lost_on
FROM matched AS m
LEFT JOIN lost AS l ON l.tax_code = m.tax_code
WHERE m.own
