-- grain:  updates the invoices whose number another upload has taken since they were judged
-- params: none (reads judged)
UPDATE judged AS j
SET
    outcome = CASE WHEN i.digest = j.digest THEN 'duplicate' ELSE 'conflict' END,
    code = CASE WHEN i.digest = j.digest THEN 'duplicate_invoice' ELSE 'conflict_invoice' END
FROM invoice_number AS a
INNER JOIN invoice AS i ON i.company_id = a.company_id AND i.invoice_id = a.invoice_id
WHERE a.number = j.number AND j.outcome = 'accepted' AND a.invoice_id <> j.invoice_id
