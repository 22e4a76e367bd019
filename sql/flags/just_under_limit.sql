-- title:  多张发票略低于整数限额
-- grain:  one row per seller and buyer with three invoices or more within 2 % below a whole 100,000 yuan
--         (gross) in the period
-- params: period_from, period_until (exclusive), cutoff (seal number)
SELECT
    p.uscc || '/' || c.uscc AS subject, c.name AS about,
    format('%s开给%s的发票有%s张价税合计略低于10万元的整数倍。', p.name, c.name, count(*)) AS evidence,
    sum(i.net_fen) AS amount_fen
FROM invoice_at(CAST(:cutoff AS bigint)) AS i
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS p ON p.party_id = i.provider_id
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS c ON c.party_id = i.company_id
WHERE
    i.taken_on <@ daterange(CAST(:period_from AS date), CAST(:period_until AS date)) AND i.kind = 'blue'
    AND i.gross_fen % 10000000 >= 9800000
GROUP BY p.uscc, p.name, c.uscc, c.name
HAVING count(*) >= 3
ORDER BY p.uscc, c.uscc
