-- grain:  inserts the numbers of one kind of invoice that are to be accepted; a number taken meanwhile is left out
-- params: kind
INSERT INTO invoice_number (number, company_id, invoice_id)
SELECT j.number, j.company_id, j.invoice_id
FROM judged AS j
WHERE j.outcome = 'accepted' AND j.kind = :kind
ORDER BY j.number
ON CONFLICT (number) DO NOTHING
