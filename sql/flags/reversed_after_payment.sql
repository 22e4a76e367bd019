-- title:  补贴拨付之后冲红
-- grain:  one row per invoice of which a red-letter was accepted in the period after its subsidy was sent
-- params: period_from, period_until (exclusive), cutoff (seal number)
WITH sent AS (
    SELECT r.company_id, r.invoice_id, min(p.sent_on) AS sent_on, sum(l.amount_fen) AS fen
    FROM payment_at(CAST(:cutoff AS bigint)) AS p
    INNER JOIN payment_line AS l ON l.payment_id = p.payment_id
    INNER JOIN run_line AS r ON r.company_id = l.company_id AND r.run_id = l.run_id AND r.line_no = l.line_no
    WHERE p.state IN ('in_transit', 'paid')
    GROUP BY r.company_id, r.invoice_id
)

SELECT
    b.number AS subject, c.name AS about,
    format('%s拨付补贴%s元，之后受理红字发票%s，冲减不含税%s元。', min(s.sent_on),
        to_char(min(s.fen) / 100.0, 'FM999,999,999,999,990.00'), string_agg(r.number, '、' ORDER BY r.number),
        to_char(-sum(r.net_fen) / 100.0, 'FM999,999,999,999,990.00')) AS evidence,
    min(s.fen) AS amount_fen
FROM invoice_at(CAST(:cutoff AS bigint)) AS r
INNER JOIN invoice_at(CAST(:cutoff AS bigint)) AS b ON b.number = r.original_number
INNER JOIN sent AS s ON s.company_id = b.company_id AND s.invoice_id = b.invoice_id AND s.sent_on <= r.taken_on
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS c ON c.party_id = b.company_id
WHERE r.kind = 'red' AND r.taken_on <@ daterange(CAST(:period_from AS date), CAST(:period_until AS date))
GROUP BY b.number, c.name
ORDER BY b.number
