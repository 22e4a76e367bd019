-- grain:  one row: the kind and parties of an invoice accepted by the cutoff, none when it is not
-- params: number, cutoff (seal number)
SELECT i.kind, c.uscc AS company, p.uscc AS provider
FROM invoice_number AS n
INNER JOIN invoice AS i ON i.company_id = n.company_id AND i.invoice_id = n.invoice_id
INNER JOIN seal AS s ON s.act_id = i.act_id AND s.no <= CAST(:cutoff AS bigint)
INNER JOIN party AS c ON c.party_id = i.company_id
INNER JOIN party AS p ON p.party_id = i.provider_id
WHERE n.number = :number
