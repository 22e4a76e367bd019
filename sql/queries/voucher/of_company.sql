-- grain:  one row per voucher of a company for a cap year and later, that is not closed; those of an open act too
-- params: company_id, year
SELECT v.voucher_id, v.programme_id, v.cap_year
FROM voucher AS v
LEFT JOIN state_at('voucher', 9223372036854775807) AS t ON t.subject_id = v.voucher_id
WHERE
    v.company_id = CAST(:company_id AS bigint) AND v.cap_year >= CAST(:year AS integer)
    AND (
        t.state IS NULL OR EXISTS (SELECT FROM allowed_move AS m WHERE m.noun = 'voucher' AND m.from_state = t.state)
    )
ORDER BY v.voucher_id
