-- grain:  temporary table metered, one row per bill with usage annexes: what they add up to
--         differing_fen: the sum that is furthest from the invoice's amount, gap_fen: by how much; log: for a bill that
--         does not count whole, what its days weigh, summed up (before the first day, before the second, …, in all),
--         null when nothing was used
-- params: none (reads asked, bill, partial)
-- source: DESIGN 6.1 and 6.3; a day with more credited than used weighs nothing
CREATE TEMPORARY TABLE metered ON COMMIT DROP AS
WITH counting AS (
    SELECT m.company_id, m.invoice_id, m.upload_id, m.basis, m.metered_yuan
    FROM metering_at((SELECT a.cutoff FROM asked AS a)) AS m
),

total AS (
    SELECT
        c.company_id, c.invoice_id,
        CAST(round(100 * sum(c.metered_yuan) FILTER (WHERE c.basis = 'net')) AS bigint) AS net_fen,
        CAST(round(100 * sum(c.metered_yuan) FILTER (WHERE c.basis = 'gross')) AS bigint) AS gross_fen
    FROM counting AS c
    GROUP BY c.company_id, c.invoice_id
),

used AS (
    SELECT p.company_id, p.invoice_id, d.used_on - lower(p.span) AS place, sum(d.metered_yuan) AS yuan
    FROM partial AS p
    INNER JOIN counting AS c ON c.company_id = p.company_id AND c.invoice_id = p.invoice_id
    INNER JOIN usage_day AS d
        ON d.company_id = c.company_id AND d.invoice_id = c.invoice_id AND d.upload_id = c.upload_id
    WHERE d.used_on <@ p.span
    GROUP BY p.company_id, p.invoice_id, d.used_on - lower(p.span)
),

day AS (
    SELECT
        p.company_id, p.invoice_id, x.place,
        sum(greatest(0, u.yuan)) OVER (PARTITION BY p.company_id, p.invoice_id ORDER BY x.place) AS weight
    FROM partial AS p
    CROSS JOIN LATERAL generate_series(-1, upper(p.span) - lower(p.span) - 1) AS x (place)
    LEFT JOIN used AS u ON u.company_id = p.company_id AND u.invoice_id = p.invoice_id AND u.place = x.place
    WHERE EXISTS (SELECT FROM used AS k WHERE k.company_id = p.company_id AND k.invoice_id = p.invoice_id)
),

log AS (
    SELECT d.company_id, d.invoice_id, array_agg(d.weight ORDER BY d.place) AS log
    FROM day AS d
    GROUP BY d.company_id, d.invoice_id
    HAVING max(d.weight) > 0
)

SELECT
    b.company_id, b.invoice_id, l.log,
    CASE WHEN t.net_fen < 0 THEN 0 ELSE t.net_fen END AS net_fen,
    CASE WHEN t.gross_fen < 0 THEN 0 ELSE t.gross_fen END AS gross_fen,
    CASE
        WHEN abs(t.net_fen - b.net_fen) < abs(t.gross_fen - b.gross_fen) THEN t.gross_fen
        ELSE coalesce(t.net_fen, t.gross_fen)
    END AS differing_fen,
    greatest(abs(t.net_fen - b.net_fen), abs(t.gross_fen - b.gross_fen)) AS gap_fen
FROM total AS t
INNER JOIN bill AS b ON b.company_id = t.company_id AND b.invoice_id = t.invoice_id
LEFT JOIN log AS l ON l.company_id = t.company_id AND l.invoice_id = t.invoice_id
