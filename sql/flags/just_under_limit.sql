-- title:  多张发票略低于整数限额
-- grain:  one row per seller and buyer with three invoices or more within 2 % below a whole 100,000 yuan
--         (gross) in the period
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
    p.uscc || '/' || c.uscc AS subject, c.name AS about,
    format('%s开给%s的发票有%s张价税合计略低于10万元的整数倍。', p.name, c.name, count(*)) AS evidence,
    sum(i.net_fen) AS amount_fen
FROM taken AS i
CROSS JOIN asked AS q
INNER JOIN named AS p ON p.party_id = i.provider_id
INNER JOIN named AS c ON c.party_id = i.company_id
WHERE
    i.taken_on >= q.from_on AND i.taken_on < q.until_on AND i.kind = 'blue'
    AND i.gross_fen % 10000000 >= 9800000
GROUP BY p.uscc, p.name, c.uscc, c.name
HAVING count(*) >= 3
ORDER BY p.uscc, c.uscc
