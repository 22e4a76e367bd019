-- check:  what is metered of an invoice is the sum of its days, and what a later act took up had been held
-- title:  用量合计等于各日之和
-- grain:  one row per invoice and file of usage that differs; no rows means all is well
-- params: none
-- source: DESIGN 7; usage of an invoice that was not there is taken up by the act that brings the invoice
WITH used AS (
    SELECT d.company_id, d.invoice_id, d.upload_id, sum(d.lines) AS lines, sum(d.metered_yuan) AS yuan
    FROM usage_day AS d
    GROUP BY d.company_id, d.invoice_id, d.upload_id
),

held AS (
    SELECT h.upload_id, h.invoice_number, sum(h.lines) AS lines, sum(h.metered_yuan) AS yuan
    FROM held_usage AS h
    GROUP BY h.upload_id, h.invoice_number
),

compared AS (
    SELECT
        m.act_id, i.number, m.lines, m.metered_yuan, u.lines AS used_lines, u.yuan AS used_yuan,
        m.act_id <> m.upload_id AS later, h.lines AS held_lines, h.yuan AS held_yuan
    FROM metering AS m
    INNER JOIN invoice AS i ON i.company_id = m.company_id AND i.invoice_id = m.invoice_id
    LEFT JOIN used AS u
        ON u.company_id = m.company_id AND u.invoice_id = m.invoice_id AND u.upload_id = m.upload_id
    LEFT JOIN held AS h ON h.upload_id = m.upload_id AND h.invoice_number = i.number
)

SELECT
    s.no AS act_no, c.number AS subject,
    format(
        '用量登记为%s行%s元，各日合计%s行%s元，此前暂存%s行%s元。', c.lines, trim_scale(c.metered_yuan),
        coalesce(c.used_lines, 0), coalesce(trim_scale(c.used_yuan), 0), coalesce(c.held_lines, 0),
        coalesce(trim_scale(c.held_yuan), 0)
    ) AS detail
FROM compared AS c
LEFT JOIN seal AS s ON s.act_id = c.act_id
WHERE
    (c.lines, c.metered_yuan) IS DISTINCT FROM (c.used_lines, c.used_yuan)
    OR (c.later AND (c.lines, c.metered_yuan) IS DISTINCT FROM (c.held_lines, c.held_yuan))
    OR (NOT c.later AND c.held_lines IS NOT NULL)
ORDER BY s.no, c.number
