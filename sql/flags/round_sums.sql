-- title:  年末整数金额
-- grain:  one row per blue invoice of at least 100,000 yuan, whole ten thousands, issued in November or December
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
)

SELECT
    i.number AS subject, c.name AS about,
    format('%s于%s开具不含税%s元的整数金额发票。', p.name, i.issued_on, i.net_fen / 100) AS evidence,
    i.net_fen AS amount_fen
FROM taken AS i
CROSS JOIN asked AS q
INNER JOIN named AS p ON p.party_id = i.provider_id
INNER JOIN named AS c ON c.party_id = i.company_id
WHERE
    i.taken_on >= q.from_on AND i.taken_on < q.until_on AND i.kind = 'blue' AND i.net_fen >= 10000000
    AND i.net_fen % 1000000 = 0 AND extract(MONTH FROM i.issued_on) >= 11
ORDER BY i.number
