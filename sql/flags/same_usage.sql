-- title:  不同企业的用量完全相同
-- grain:  one row per provider, item, unit and odd usage that lines of several companies share in the period
-- params: period_from, period_until (exclusive), cutoff (seal number)
WITH asked AS (
    SELECT
        CAST(:period_from AS date) AS from_on, CAST(:period_until AS date) AS until_on,
        CAST(:cutoff AS bigint) AS cutoff
),

taken AS (
    SELECT i.*, t.effective_on AS taken_on
    FROM asked AS q
    CROSS JOIN invoice AS i
    INNER JOIN seal AS s ON s.act_id = i.act_id AND s.no <= q.cutoff
    INNER JOIN act AS t ON t.act_id = i.act_id
),

named AS (
    SELECT p.party_id, p.uscc, coalesce(n.name, p.uscc) AS name
    FROM party AS p
    LEFT JOIN party_name_at(CAST(:cutoff AS bigint)) AS n ON n.party_id = p.party_id
),

used AS (
    SELECT i.provider_id, i.company_id, i.number, l.item, l.unit, l.usage_qty, l.net_fen
    FROM taken AS i
    CROSS JOIN asked AS q
    INNER JOIN invoice_line AS l ON l.company_id = i.company_id AND l.invoice_id = i.invoice_id
    WHERE
        i.taken_on >= q.from_on AND i.taken_on < q.until_on AND i.kind = 'blue' AND l.usage_qty > 1
        AND l.usage_qty % 10 <> 0
)

SELECT
    min(u.number) AS subject, min(p.name) AS about,
    format('用量同为%s%s，涉及%s家企业、%s张发票：%s。', u.usage_qty, u.unit, count(DISTINCT u.company_id),
        count(DISTINCT u.number), left(string_agg(DISTINCT c.name, '、'), 200)) AS evidence,
    sum(u.net_fen) AS amount_fen
FROM used AS u
INNER JOIN named AS p ON p.party_id = u.provider_id
INNER JOIN named AS c ON c.party_id = u.company_id
GROUP BY u.provider_id, u.item, u.unit, u.usage_qty
HAVING count(DISTINCT u.company_id) > 1
ORDER BY min(u.number)
