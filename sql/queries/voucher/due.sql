-- grain:  one row per voucher of a programme that is not closed
-- params: programme_id
SELECT v.voucher_id, v.company_id, c.uscc AS company, v.cap_year, a.balance_fen AS left_fen
FROM voucher AS v
INNER JOIN party AS c ON c.party_id = v.company_id
INNER JOIN state_at('voucher', 9223372036854775807) AS t ON t.subject_id = v.voucher_id
INNER JOIN account AS a
    ON a.programme_id = v.programme_id AND a.company_id = v.company_id AND a.year = v.cap_year AND a.kind = 'voucher'
WHERE
    v.programme_id = :programme_id
    AND EXISTS (SELECT FROM allowed_move AS m WHERE m.noun = 'voucher' AND m.from_state = t.state)
ORDER BY v.voucher_id
