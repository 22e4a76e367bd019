-- grain:  one row per outcome of invoice numbers that were handed in and wait: not accepted, or in conflict
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
),

dispute AS (
    SELECT h.invoice_number, CAST('conflict' AS text) AS outcome, min(u.received_on) AS received_on
    FROM held_row AS h
    INNER JOIN upload AS u ON u.upload_id = h.upload_id
    INNER JOIN seal AS s ON s.act_id = h.upload_id
    INNER JOIN invoice_number AS n ON n.number = h.invoice_number
    WHERE
        h.waits_for = 'resolution'
        AND NOT EXISTS (
            SELECT FROM resolution AS d
            INNER JOIN seal AS z ON z.act_id = d.act_id
            WHERE d.company_id = n.company_id AND d.invoice_id = n.invoice_id AND z.no > s.no
        )
    GROUP BY h.invoice_number
),

waiting AS (
    SELECT o.invoice_number, o.outcome, o.received_on FROM open_row AS o
    UNION ALL
    SELECT d.invoice_number, d.outcome, d.received_on FROM dispute AS d
)

SELECT
    o.outcome, count(*) AS invoices,
    count(*) FILTER (WHERE CAST(:today AS date) - o.received_on <= 7) AS week,
    count(*) FILTER (WHERE CAST(:today AS date) - o.received_on BETWEEN 8 AND 30) AS month,
    count(*) FILTER (WHERE CAST(:today AS date) - o.received_on BETWEEN 31 AND 90) AS quarter,
    count(*) FILTER (WHERE CAST(:today AS date) - o.received_on > 90) AS older
FROM waiting AS o
GROUP BY o.outcome
ORDER BY o.outcome
