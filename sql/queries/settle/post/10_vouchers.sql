-- grain:  inserts one voucher per company and cap year that the run grants to and that has none yet
-- params: run_id, act_id, caps (jsonb: cap year to fen)
INSERT INTO voucher (programme_id, company_id, cap_year, face_fen, by_hand, act_id)
SELECT
    r.programme_id, l.company_id, l.cap_year,
    CAST(CAST(:caps AS jsonb) ->> CAST(l.cap_year AS text) AS bigint), FALSE, CAST(:act_id AS bigint)
FROM run AS r
INNER JOIN run_line AS l ON l.run_id = r.run_id
WHERE r.run_id = CAST(:run_id AS bigint) AND l.granted_fen > 0
GROUP BY r.programme_id, l.company_id, l.cap_year
ORDER BY l.company_id, l.cap_year
ON CONFLICT (programme_id, company_id, cap_year) DO NOTHING
