-- grain:  temporary table told, one row per row of a result file, and whether it is news:
--         fresh, known (said before), or the code of what is wrong with it
-- params: rows (jsonb array: row_no, reference, state, amount_fen, day (null: today), bank_reference, reason), today
CREATE TEMPORARY TABLE told ON COMMIT DROP AS
WITH said AS (
    SELECT r.*, count(*) OVER (PARTITION BY r.reference) AS times
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
        row_no bigint, reference text, state text, amount_fen bigint, day date, bank_reference text, reason text
    )
)

SELECT
    s.row_no, s.reference, s.state, coalesce(s.day, CAST(:today AS date)) AS happened_on, s.bank_reference, s.reason,
    p.payment_id, p.batch_id,
    p.state AS from_state, p.step,
    CASE
        WHEN p.payment_id IS NULL THEN 'unknown_payment'
        WHEN s.times > 1 THEN 'payment_twice'
        WHEN p.amount_fen <> s.amount_fen THEN 'amount_differs'
        WHEN p.state IN ('proposed', 'dropped') THEN 'not_in_transit'
        WHEN p.state = s.state THEN
            CASE
                WHEN t.bank_reference = s.bank_reference AND t.happened_on = coalesce(s.day, t.happened_on) THEN 'known'
                ELSE 'told_otherwise'
            END
        WHEN e.payment_id IS NOT NULL THEN 'known'
        WHEN p.state = 'returned' THEN 'returned_before'
        WHEN s.day < p.sent_on OR s.day > CAST(:today AS date) THEN 'day_impossible'
        ELSE 'fresh'
    END AS verdict
FROM said AS s
LEFT JOIN payment_at(9223372036854775807) AS p ON p.reference = s.reference
LEFT JOIN payment_result AS t ON t.payment_id = p.payment_id AND t.step = p.step
-- what was said of it before it came back
LEFT JOIN payment_result AS e
    ON e.payment_id = p.payment_id AND e.state = s.state AND e.bank_reference = s.bank_reference
    AND e.happened_on = coalesce(s.day, e.happened_on)
