-- grain:  one row per payment of these references that was sent, and whether a match by hand holds it in this direction
-- params: wanted (text[]), incoming (the line came in: a payment that left may come back)
SELECT
    p.payment_id, p.reference, p.amount_fen, EXISTS(
        SELECT FROM bank_hand_at(9223372036854775807) AS h
        WHERE h.payment_id = p.payment_id AND h.incoming = CAST(:incoming AS boolean)
    ) AS held
FROM payment_at(9223372036854775807) AS p
WHERE p.reference = ANY(CAST(:wanted AS text[])) AND p.state IN ('in_transit', 'paid', 'returned')
ORDER BY p.payment_id
