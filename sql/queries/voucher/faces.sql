-- grain:  inserts one transfer per voucher that this act issued: its face, out of the authority of its year
-- params: act_id
INSERT INTO transfer (company_id, act_id, transfer_no, debit_account_id, credit_account_id, amount_fen)
SELECT
    v.company_id, v.act_id, row_number() OVER (ORDER BY v.voucher_id), o.account_id, a.account_id, v.face_fen
FROM voucher AS v
INNER JOIN account AS a
    ON a.programme_id = v.programme_id AND a.company_id = v.company_id AND a.year = v.cap_year AND a.kind = 'voucher'
INNER JOIN account AS o
    ON o.programme_id = v.programme_id AND o.company_id = 0 AND o.year = v.cap_year AND o.kind = 'authority'
WHERE v.act_id = CAST(:act_id AS bigint)
