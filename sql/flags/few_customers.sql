-- title:  服务商客户过少
-- grain:  one row per provider of which one or two companies have all invoices in the period, at least five
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
    p.uscc AS subject, p.name AS about,
    format('本期%s张发票只开给%s家企业：%s。', count(*), count(DISTINCT i.company_id),
        string_agg(DISTINCT c.name, '、')) AS evidence,
    sum(i.net_fen) AS amount_fen
FROM taken AS i
CROSS JOIN asked AS q
INNER JOIN named AS p ON p.party_id = i.provider_id
INNER JOIN named AS c ON c.party_id = i.company_id
WHERE i.taken_on >= q.from_on AND i.taken_on < q.until_on AND i.kind = 'blue'
GROUP BY p.uscc, p.name
HAVING count(DISTINCT i.company_id) <= 2 AND count(*) >= 5
ORDER BY p.uscc
