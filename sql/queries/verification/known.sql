-- grain:  one row when a number was ever handed in, else none
-- params: number
SELECT 1 AS known
WHERE
    EXISTS (SELECT FROM invoice_number AS n WHERE n.number = :number)
    OR EXISTS (SELECT FROM upload_row AS r WHERE r.invoice_number = :number)
