-- title:  同一供方的连号发票开给同一企业
-- grain:  one row per run of at least five consecutive numbers of one seller and buyer in the period
-- params: period_from, period_until (exclusive), cutoff (seal number)
WITH numbered AS (
    SELECT
        i.provider_id, i.company_id, i.number, i.net_fen,
        CAST(right(i.number, 15) AS bigint) - row_number() OVER (
            PARTITION BY i.provider_id, i.company_id, left(i.number, 5) ORDER BY i.number
        ) AS grp
    FROM invoice_at(CAST(:cutoff AS bigint)) AS i
    WHERE
        i.taken_on <@ daterange(CAST(:period_from AS date), CAST(:period_until AS date))
        AND i.kind = 'blue' AND length(i.number) = 20
)

SELECT
    min(n.number) AS subject, min(c.name) AS about,
    format('%s连续开给%s共%s张：%s至%s。', min(p.name), min(c.name), count(*), min(n.number), max(n.number)) AS evidence,
    sum(n.net_fen) AS amount_fen
FROM numbered AS n
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS p ON p.party_id = n.provider_id
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS c ON c.party_id = n.company_id
GROUP BY n.provider_id, n.company_id, left(n.number, 5), n.grp
HAVING count(*) >= 5
ORDER BY min(n.number)
