-- grain:  one row per voucher of the run's lines that moved after its cutoff
-- params: run_id
SELECT v.voucher_id, c.uscc AS company, v.cap_year, m.to_state AS state
FROM run AS r
INNER JOIN run_line AS l ON l.run_id = r.run_id
INNER JOIN voucher AS v
    ON v.programme_id = r.programme_id AND v.company_id = l.company_id AND v.cap_year = l.cap_year
INNER JOIN party AS c ON c.party_id = v.company_id
INNER JOIN move AS m ON m.noun = 'voucher' AND m.subject_id = v.voucher_id
INNER JOIN seal AS s ON s.act_id = m.act_id AND s.no > r.cutoff_no
WHERE r.run_id = CAST(:run_id AS bigint)
GROUP BY v.voucher_id, c.uscc, v.cap_year, m.to_state
ORDER BY v.voucher_id
