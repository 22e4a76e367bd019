-- grain:  one row per payment without a line, per returned one that left and did not come back, and per line without
--         a payment or return, by age, the oldest first; age: full days up to the last day of all statements
-- params: tolerance_fen, days, cutoff (seal number)
WITH matched AS MATERIALIZED (
    SELECT m.* FROM bank_match_at(CAST(:cutoff AS bigint), CAST(:tolerance_fen AS bigint), CAST(:days AS integer)) AS m
),

back AS MATERIALIZED (
    SELECT b.* FROM bank_return_at(CAST(:cutoff AS bigint)) AS b
),

until AS (
    SELECT max(l.booked_on) AS until_on
    FROM bank_line AS l
    INNER JOIN seal AS s ON s.act_id = l.statement_id AND s.no <= CAST(:cutoff AS bigint)
),

leftover AS (
    SELECT
        CASE p.state WHEN 'returned' THEN 'back' ELSE 'payment' END AS side, p.reference AS subject,
        p.sent_on AS day_on, p.amount_fen, b.holder AS name,
        p.state AS note
    FROM payment_at(CAST(:cutoff AS bigint)) AS p
    INNER JOIN payment AS y ON y.payment_id = p.payment_id
    INNER JOIN bank_account AS b ON b.act_id = y.account_act_id AND b.row_no = y.account_row_no
    LEFT JOIN matched AS m ON m.payment_id = p.payment_id
    LEFT JOIN back AS r ON r.payment_id = p.payment_id
    WHERE
        (p.state IN ('in_transit', 'paid') AND m.way IS NULL)
        OR (p.state = 'returned' AND m.way IS NOT NULL AND r.row_no IS NULL)
    UNION ALL
    SELECT
        CASE WHEN l.amount_fen > 0 THEN 'out' ELSE 'in' END, l.statement_id || ':' || l.row_no, l.booked_on,
        abs(l.amount_fen), l.name, concat_ws(' ', l.serial, l.remark)
    FROM bank_line AS l
    INNER JOIN seal AS s ON s.act_id = l.statement_id AND s.no <= CAST(:cutoff AS bigint)
    LEFT JOIN matched AS m ON m.statement_id = l.statement_id AND m.row_no = l.row_no
    LEFT JOIN back AS r ON r.statement_id = l.statement_id AND r.row_no = l.row_no
    WHERE m.way IS NULL AND r.row_no IS NULL
)

SELECT
    f.side, f.subject, f.day_on, f.amount_fen, f.name, f.note, greatest(0, u.until_on - f.day_on) AS age,
    CASE
        WHEN u.until_on - f.day_on > 90 THEN '90天以上' WHEN u.until_on - f.day_on > 30 THEN '31至90天'
        WHEN u.until_on - f.day_on > 7 THEN '8至30天' ELSE '7天以内'
    END AS bucket
FROM leftover AS f
CROSS JOIN until AS u
ORDER BY f.day_on, f.side, f.subject
