-- grain:  one row per settlement line of a run approved by the cutoff that used a voucher, in order of approval
-- params: voucher_id, cutoff (seal number)
SELECT i.number AS invoice_number, l.run_id, l.kind, l.granted_fen, r.no AS act_no
FROM voucher AS v
INNER JOIN approved_at(CAST(:cutoff AS bigint)) AS r ON r.programme_id = v.programme_id
INNER JOIN run_line AS l ON l.run_id = r.run_id AND l.company_id = v.company_id AND l.cap_year = v.cap_year
INNER JOIN invoice AS i ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id
WHERE v.voucher_id = CAST(:voucher_id AS bigint) AND l.granted_fen <> 0
ORDER BY r.no, l.line_no
