-- grain:  one row per payment of these references that was sent, and whether a match by hand holds it
-- params: wanted (text[])
SELECT
    p.payment_id, p.reference, p.amount_fen, EXISTS(
        SELECT FROM bank_match AS h
        WHERE
            h.payment_id = p.payment_id
            AND NOT EXISTS (
                SELECT FROM move AS m WHERE m.noun = 'bank_match' AND m.subject_id = h.act_id AND m.step = 2
            )
    ) AS held
FROM payment_at(9223372036854775807) AS p
WHERE p.reference = ANY(CAST(:wanted AS text[])) AND p.state IN ('in_transit', 'paid', 'returned')
ORDER BY p.payment_id
