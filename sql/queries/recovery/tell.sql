-- grain:  inserts one notice: the day on which the company of an invoice was told to pay back what it owes of it
-- params: number, told_on, act_id
INSERT INTO recovery_notice (company_id, invoice_id, told_on, act_id)
SELECT n.company_id, n.invoice_id, CAST(:told_on AS date), CAST(:act_id AS bigint)
FROM invoice_number AS n
WHERE n.number = :number
