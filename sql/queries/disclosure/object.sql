-- grain:  inserts one objection to an invoice for which the run grants something, none when it grants nothing
-- params: run_id, number, why, act_id
INSERT INTO objection (act_id, company_id, run_id, invoice_id, why)
SELECT DISTINCT CAST(:act_id AS bigint), l.company_id, l.run_id, l.invoice_id, CAST(:why AS text)
FROM invoice_number AS n
INNER JOIN run_line AS l
    ON l.company_id = n.company_id AND l.invoice_id = n.invoice_id AND l.run_id = CAST(:run_id AS bigint)
WHERE n.number = CAST(:number AS text) AND l.granted_fen > 0
