-- grain:  one row per remark on an invoice of which an act took up usage: its sum is further from the invoice's amount
--         than any policy document of its days allows, or some lies outside its service days
-- params: act_id (not sealed yet)
-- source: DESIGN 7; amounts of the invoice as they count now, with its red-letters
WITH taken AS (
    SELECT DISTINCT m.company_id, m.invoice_id FROM metering AS m WHERE m.act_id = CAST(:act_id AS bigint)
),

placed AS (
    SELECT
        m.company_id, m.invoice_id, m.upload_id, m.basis, m.metered_yuan, m.replaces,
        ARRAY[coalesce(s.no, 9223372036854775807), m.upload_id] AS at
    FROM taken AS t
    INNER JOIN metering AS m ON m.company_id = t.company_id AND m.invoice_id = t.invoice_id
    LEFT JOIN seal AS s ON s.act_id = m.act_id
),

since AS (
    SELECT p.company_id, p.invoice_id, max(p.at) FILTER (WHERE p.replaces) AS at
    FROM placed AS p
    GROUP BY p.company_id, p.invoice_id
),

counting AS (
    SELECT p.company_id, p.invoice_id, p.upload_id, p.basis, p.metered_yuan
    FROM placed AS p
    INNER JOIN since AS x ON x.company_id = p.company_id AND x.invoice_id = p.invoice_id
    WHERE x.at IS NULL OR p.at >= x.at
),

total AS (
    SELECT c.company_id, c.invoice_id, c.basis, round(100 * sum(c.metered_yuan)) AS fen
    FROM counting AS c
    GROUP BY c.company_id, c.invoice_id, c.basis
),

billed AS (
    SELECT t.company_id, t.invoice_id, i.number, i.span, k.net_fen, k.gross_fen
    FROM taken AS t
    INNER JOIN invoice AS i ON i.company_id = t.company_id AND i.invoice_id = t.invoice_id
    INNER JOIN invoice_money AS k ON k.company_id = t.company_id AND k.invoice_id = t.invoice_id
),

red AS (
    SELECT b.company_id, b.invoice_id, sum(k.net_fen) AS net_fen, sum(k.gross_fen) AS gross_fen
    FROM billed AS b
    INNER JOIN invoice AS r ON r.original_number = b.number AND r.kind = 'red'
    INNER JOIN invoice_money AS k ON k.company_id = r.company_id AND k.invoice_id = r.invoice_id
    GROUP BY b.company_id, b.invoice_id
),

due AS (
    SELECT
        b.number, b.span, t.basis, t.fen,
        CASE t.basis
            WHEN 'net' THEN b.net_fen + coalesce(r.net_fen, 0) ELSE b.gross_fen + coalesce(r.gross_fen, 0)
        END AS due_fen
    FROM total AS t
    INNER JOIN billed AS b ON b.company_id = t.company_id AND b.invoice_id = t.invoice_id
    LEFT JOIN red AS r ON r.company_id = t.company_id AND r.invoice_id = t.invoice_id
),

outside AS (
    SELECT b.number, sum(d.metered_yuan) AS yuan
    FROM billed AS b
    INNER JOIN counting AS c ON c.company_id = b.company_id AND c.invoice_id = b.invoice_id
    INNER JOIN usage_day AS d
        ON d.company_id = c.company_id AND d.invoice_id = c.invoice_id AND d.upload_id = c.upload_id
    WHERE NOT d.used_on <@ b.span
    GROUP BY b.number
)

SELECT
    'usage_sum_differs' AS code, d.number, round(d.fen / 100, 2) || '' AS metered,
    CASE d.basis WHEN 'net' THEN '不含税金额' ELSE '价税合计' END AS basis, round(d.due_fen / 100.0, 2) || '' AS amount
FROM due AS d
WHERE
    abs(d.fen - d.due_fen) > (
        SELECT coalesce(max(CAST(p.parameters ->> 'usage_sum_tolerance_fen' AS bigint)), 0)
        FROM policy AS p
        WHERE p.span && d.span
    )
UNION ALL
SELECT 'usage_outside_span', o.number, trim_scale(o.yuan) || '', '', ''
FROM outside AS o
ORDER BY number, code
