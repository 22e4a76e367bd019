-- title:  服务商客户过少
-- grain:  one row per provider of which one or two companies have all invoices in the period, at least five
-- params: period_from, period_until (exclusive), cutoff (seal number)
SELECT
    p.uscc AS subject, p.name AS about,
    format('本期%s张发票只开给%s家企业：%s。', count(*), count(DISTINCT i.company_id),
        string_agg(DISTINCT c.name, '、')) AS evidence,
    sum(i.net_fen) AS amount_fen
FROM invoice_at(CAST(:cutoff AS bigint)) AS i
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS p ON p.party_id = i.provider_id
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS c ON c.party_id = i.company_id
WHERE i.taken_on <@ daterange(CAST(:period_from AS date), CAST(:period_until AS date)) AND i.kind = 'blue'
GROUP BY p.uscc, p.name
HAVING count(DISTINCT i.company_id) <= 2 AND count(*) >= 5
ORDER BY p.uscc
