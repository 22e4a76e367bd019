-- grain:  one row per outcome and age of invoice numbers that were handed in and are not accepted
-- params: today
WITH open_row AS (
    SELECT DISTINCT ON (r.invoice_number) r.invoice_number, r.outcome, u.received_on
    FROM upload_row AS r
    INNER JOIN upload AS u ON u.upload_id = r.upload_id
    INNER JOIN seal AS s ON s.act_id = r.upload_id
    WHERE
        r.invoice_number <> '' AND r.outcome IN ('held', 'conflict', 'rejected')
        AND NOT EXISTS (SELECT FROM invoice_number AS n WHERE n.number = r.invoice_number)
    ORDER BY r.invoice_number, s.no DESC
)

SELECT
    o.outcome, count(*) AS invoices,
    count(*) FILTER (WHERE CAST(:today AS date) - o.received_on <= 7) AS week,
    count(*) FILTER (WHERE CAST(:today AS date) - o.received_on BETWEEN 8 AND 30) AS month,
    count(*) FILTER (WHERE CAST(:today AS date) - o.received_on BETWEEN 31 AND 90) AS quarter,
    count(*) FILTER (WHERE CAST(:today AS date) - o.received_on > 90) AS older
FROM open_row AS o
GROUP BY o.outcome
ORDER BY o.outcome
