-- title:  年末整数金额
-- grain:  one row per blue invoice of at least 100,000 yuan, whole ten thousands, issued in November or December
-- params: period_from, period_until (exclusive), cutoff (seal number)
SELECT
    i.number AS subject, c.name AS about,
    format('%s于%s开具不含税%s元的整数金额发票。', p.name, i.issued_on, to_char(i.net_fen / 100, 'FM999,999,999,999,990')) AS evidence,
    i.net_fen AS amount_fen
FROM invoice_at(CAST(:cutoff AS bigint)) AS i
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS p ON p.party_id = i.provider_id
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS c ON c.party_id = i.company_id
WHERE
    i.taken_on <@ daterange(CAST(:period_from AS date), CAST(:period_until AS date))
    AND i.kind = 'blue' AND i.net_fen >= 10000000 AND i.net_fen % 1000000 = 0 AND extract(MONTH FROM i.issued_on) >= 11
ORDER BY i.number
