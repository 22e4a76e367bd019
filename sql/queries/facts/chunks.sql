-- grain:  one row per range of companies that holds about as many invoices as asked for, in order
-- params: cutoff (seal number), size (invoices)
WITH accepted AS (
    SELECT i.company_id, count(*) AS invoices
    FROM invoice AS i
    INNER JOIN seal AS s ON s.act_id = i.act_id
    WHERE s.no <= CAST(:cutoff AS bigint)
    GROUP BY i.company_id
),

placed AS (
    SELECT a.company_id, div(sum(a.invoices) OVER (ORDER BY a.company_id) - 1, CAST(:size AS bigint)) AS place
    FROM accepted AS a
)

SELECT min(p.company_id) AS first_id
FROM placed AS p
GROUP BY p.place
ORDER BY p.place
