-- grain:  one row per company that a provider's invoices name for the month before, and none for the month itself
-- params: provider (USCC), month (its first day)
WITH own AS (
    SELECT i.company_id, CAST(date_trunc('month', upper(i.span) - 1) AS date) AS month, i.net_fen
    FROM invoice AS i
    INNER JOIN party AS p ON p.party_id = i.provider_id
    WHERE p.uscc = :provider AND i.kind = 'blue'
)

SELECT c.uscc AS company, n.name, CAST(sum(o.net_fen) AS bigint) AS net_fen
FROM own AS o
INNER JOIN party AS c ON c.party_id = o.company_id
LEFT JOIN party_name_at(9223372036854775807) AS n ON n.party_id = o.company_id
WHERE
    o.month = CAST(CAST(:month AS date) - interval '1 month' AS date)
    AND NOT EXISTS (
        SELECT FROM own AS x WHERE x.company_id = o.company_id AND x.month = CAST(:month AS date)
    )
GROUP BY c.uscc, n.name
ORDER BY c.uscc
