-- grain:  inserts one voucher per company of the list that has none for the year yet
-- params: programme_id, year, by_hand, vouchers (jsonb: company, face_fen), act_id
INSERT INTO voucher (programme_id, company_id, cap_year, face_fen, by_hand, act_id)
SELECT :programme_id, c.party_id, CAST(:year AS integer), v.face_fen, CAST(:by_hand AS boolean), CAST(:act_id AS bigint)
FROM jsonb_to_recordset(CAST(:vouchers AS jsonb)) AS v (company text, face_fen bigint)
INNER JOIN party AS c ON c.uscc = v.company
ORDER BY c.party_id
ON CONFLICT (programme_id, company_id, cap_year) DO NOTHING
