-- title:  不同企业的用量完全相同
-- grain:  one row per provider, item, unit and odd usage that lines of several companies share in the period
-- params: period_from, period_until (exclusive), cutoff (seal number)
WITH used AS (
    SELECT i.provider_id, i.company_id, i.number, l.item, l.unit, l.usage_qty, l.net_fen
    FROM invoice_at(CAST(:cutoff AS bigint)) AS i
    INNER JOIN invoice_line AS l ON l.company_id = i.company_id AND l.invoice_id = i.invoice_id
    WHERE
        i.taken_on <@ daterange(CAST(:period_from AS date), CAST(:period_until AS date))
        AND i.kind = 'blue' AND l.usage_qty > 1 AND l.usage_qty % 10 <> 0
)

SELECT
    min(u.number) AS subject, min(p.name) AS about,
    format('用量同为%s%s，涉及%s家企业、%s张发票：%s。', u.usage_qty, u.unit, count(DISTINCT u.company_id),
        count(DISTINCT u.number), left(string_agg(DISTINCT c.name, '、'), 200)) AS evidence,
    sum(u.net_fen) AS amount_fen
FROM used AS u
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS p ON p.party_id = u.provider_id
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS c ON c.party_id = u.company_id
GROUP BY u.provider_id, u.item, u.unit, u.usage_qty
HAVING count(DISTINCT u.company_id) > 1
ORDER BY min(u.number)
