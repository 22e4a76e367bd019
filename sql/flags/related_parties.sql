-- title:  名称或账户关联
-- grain:  one row per pair of companies with one bank account, or provider and company with
--         one stem of name, that deal in the period
-- params: period_from, period_until (exclusive), cutoff (seal number)
WITH account AS (
    SELECT DISTINCT b.company_id, b.account_no, b.account_last4
    FROM bank_account AS b
    INNER JOIN seal AS s ON s.act_id = b.act_id AND s.no <= CAST(:cutoff AS bigint)
),

stem AS (
    SELECT
        n.party_id, n.uscc, n.name,
        regexp_replace(n.name, '(重庆市?|四川|成都|有限责任公司|股份有限公司|有限公司|科技|智能|信息|技术|服务|算力)', '', 'g') AS stem
    FROM party_at(CAST(:cutoff AS bigint)) AS n
),

dealt AS (
    SELECT i.provider_id, i.company_id, sum(i.net_fen) AS fen
    FROM invoice_at(CAST(:cutoff AS bigint)) AS i
    WHERE i.taken_on <@ daterange(CAST(:period_from AS date), CAST(:period_until AS date))
    GROUP BY i.provider_id, i.company_id
)

SELECT
    a.uscc || '/' || b.uscc AS subject, a.name || '、' || b.name AS about,
    format('两家企业登记的收款账号相同（末四位%s）。', min(x.account_last4)) AS evidence, CAST(0 AS bigint) AS amount_fen
FROM account AS x
INNER JOIN account AS y ON y.account_no = x.account_no AND y.company_id > x.company_id
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS a ON a.party_id = x.company_id
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS b ON b.party_id = y.company_id
GROUP BY a.uscc, a.name, b.uscc, b.name
UNION ALL
SELECT
    p.uscc || '/' || c.uscc, p.name || '、' || c.name,
    format('供需双方字号相同（%s），本期交易不含税%s元。', p.stem, to_char(d.fen / 100.0, 'FM999,999,999,999,990.00')), d.fen
FROM dealt AS d
INNER JOIN stem AS p ON p.party_id = d.provider_id
INNER JOIN stem AS c ON c.party_id = d.company_id
WHERE p.stem = c.stem AND length(p.stem) >= 2
ORDER BY subject
