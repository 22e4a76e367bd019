-- title:  企业月度金额突增
-- grain:  one row per company and service month in the period of more than three times the mean of its earlier months
-- params: period_from, period_until (exclusive), cutoff (seal number)
WITH monthly AS (
    SELECT i.company_id, date_trunc('month', lower(i.span)) AS month_at, sum(i.net_fen) AS fen,
        max(i.taken_on) AS taken_on
    FROM invoice_at(CAST(:cutoff AS bigint)) AS i
    WHERE i.kind = 'blue'
    GROUP BY i.company_id, date_trunc('month', lower(i.span))
),

before AS (
    SELECT
        m.*, avg(m.fen) OVER w AS mean_fen, count(*) OVER w AS months
    FROM monthly AS m
    WINDOW w AS (PARTITION BY m.company_id ORDER BY m.month_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)

SELECT
    c.uscc || '/' || to_char(b.month_at, 'YYYY-MM') AS subject, c.name AS about,
    format('%s金额%s元，此前%s个月平均%s元。', to_char(b.month_at, 'YYYY-MM'), to_char(b.fen / 100.0, 'FM999,999,999,999,990.00'),
        b.months, to_char(b.mean_fen / 100.0, 'FM999,999,999,999,990.00')) AS evidence,
    b.fen AS amount_fen
FROM before AS b
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS c ON c.party_id = b.company_id
WHERE
    b.months >= 2 AND b.fen > 3 * b.mean_fen
    AND b.taken_on <@ daterange(CAST(:period_from AS date), CAST(:period_until AS date))
ORDER BY c.uscc, b.month_at
