-- title:  同一供方的连号发票开给同一企业
-- grain:  one row per run of at least five consecutive numbers of one seller and buyer in the period
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

numbered AS (
    SELECT
        i.provider_id, i.company_id, i.number, i.net_fen,
        CAST(right(i.number, 15) AS bigint) - row_number() OVER (
            PARTITION BY i.provider_id, i.company_id, left(i.number, 5) ORDER BY i.number
        ) AS grp
    FROM taken AS i
    CROSS JOIN asked AS q
    WHERE i.taken_on >= q.from_on AND i.taken_on < q.until_on AND i.kind = 'blue' AND length(i.number) = 20
)

SELECT
    min(n.number) AS subject, min(c.name) AS about,
    format('%s连续开给%s共%s张：%s至%s。', min(p.name), min(c.name), count(*), min(n.number), max(n.number)) AS evidence,
    sum(n.net_fen) AS amount_fen
FROM numbered AS n
INNER JOIN named AS p ON p.party_id = n.provider_id
INNER JOIN named AS c ON c.party_id = n.company_id
GROUP BY n.provider_id, n.company_id, left(n.number, 5), n.grp
HAVING count(*) >= 5
ORDER BY min(n.number)
