-- grain:  one row per money account of an invoice's company, locked in ascending order
-- params: number
SELECT a.account_id
FROM account AS a
WHERE
    a.kind IN ('payable', 'in_transit', 'paid', 'recoverable')
    AND a.company_id = (SELECT n.company_id FROM invoice_number AS n WHERE n.number = :number)
ORDER BY a.account_id
FOR NO KEY UPDATE
