-- grain:  temporary table code, one row per own document and tax code in use
-- params: none (reads doc, touched)
-- source: DESIGN 6.2; a line belongs to the programme in force with the longest matching prefix
--         lost_on: days on which another programme's document matches at least as long
CREATE TEMPORARY TABLE code ON COMMIT DROP AS
WITH used AS (
    SELECT l.tax_code FROM invoice_line AS l INNER JOIN touched AS k ON k.company_id = l.company_id
    UNION
    SELECT e.tax_code FROM evidence_line AS e INNER JOIN touched AS k ON k.company_id = e.company_id
),

matched AS (
    SELECT
        d.doc_no, d.own, d.force, u.tax_code,
        (SELECT max(length(p.prefix)) FROM unnest(d.prefixes) AS p (prefix) WHERE starts_with(u.tax_code, p.prefix))
            AS match_length
    FROM doc AS d
    CROSS JOIN used AS u
)

SELECT
    m.doc_no, m.tax_code, m.match_length IS NOT NULL AS eligible,
    coalesce(
        (
            SELECT range_agg(r.force)
            FROM matched AS r
            WHERE NOT r.own AND r.tax_code = m.tax_code AND r.match_length >= m.match_length
        ),
        '{}'
    ) AS lost_on
FROM matched AS m
WHERE m.own
