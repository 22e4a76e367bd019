-- grain:  inserts a warning for each blue invoice with lines whose tax code no document in force supports on its days
-- params: none (reads judged, stage)
-- source: DESIGN 6.2; such lines are accepted and do not count
INSERT INTO found (upload_id, code, sheet, row_no, column_name, value, invoice_number, words)
WITH covered AS (
    SELECT coalesce(range_agg(f.span), '{}') AS days FROM policy_in_force AS f
),

used AS (
    SELECT DISTINCT s.tax_code FROM stage AS s WHERE s.tax_code IS NOT NULL
),

doubtful AS (
    SELECT t.tax_code, t.days, c.days AS covered
    FROM (
        SELECT
            u.tax_code,
            coalesce(range_agg(f.span) FILTER (WHERE EXISTS (
                SELECT FROM jsonb_array_elements_text(f.parameters -> 'eligible_tax_codes') AS p (prefix)
                WHERE starts_with(u.tax_code, p.prefix)
            )), '{}') AS days
        FROM used AS u
        LEFT JOIN policy_in_force AS f ON TRUE
        GROUP BY u.tax_code
    ) AS t
    CROSS JOIN covered AS c
    WHERE NOT t.days @> c.days
)

SELECT
    j.upload_id, 'tax_code_not_supported', min(s.sheet), min(s.row_no), '税收分类编码',
    string_agg(DISTINCT s.tax_code, '、' ORDER BY s.tax_code), j.number,
    jsonb_build_object('what', CASE WHEN count(*) = j.rows THEN '整张发票' ELSE format('这%s行', count(*)) END)
FROM judged AS j
INNER JOIN stage AS s ON s.invoice_number = j.number AND s.upload_id = j.upload_id
INNER JOIN doubtful AS d ON d.tax_code = s.tax_code
WHERE
    (SELECT count(*) FROM doubtful) > 0 -- nearly always none, and then nothing is joined
    AND j.kind = 'blue' AND j.outcome IN ('accepted', 'held') AND j.held_upload_id = 0 AND s.held_upload_id = 0
    AND CASE WHEN j.span IS NULL THEN isempty(d.days) ELSE d.covered && j.span AND NOT d.days && j.span END
GROUP BY j.upload_id, j.number, j.rows
