-- grain:  one row: a voucher, whose it is and what is left of it
-- params: voucher_id
SELECT v.voucher_id, v.programme_id, v.company_id, c.uscc AS company, v.cap_year, a.balance_fen AS left_fen
FROM voucher AS v
INNER JOIN party AS c ON c.party_id = v.company_id
INNER JOIN account AS a
    ON a.programme_id = v.programme_id AND a.company_id = v.company_id AND a.year = v.cap_year AND a.kind = 'voucher'
WHERE v.voucher_id = CAST(:voucher_id AS bigint)
