-- grain:  one row: the key, kind, parties and amounts of an accepted invoice by number
-- params: number
SELECT
    i.company_id, i.invoice_id, i.kind, c.uscc AS company, p.uscc AS provider, m.net_fen, m.tax_fen, m.gross_fen
FROM invoice_number AS n
INNER JOIN invoice AS i ON i.company_id = n.company_id AND i.invoice_id = n.invoice_id
INNER JOIN invoice_money AS m ON m.company_id = i.company_id AND m.invoice_id = i.invoice_id
INNER JOIN party AS c ON c.party_id = i.company_id
INNER JOIN party AS p ON p.party_id = i.provider_id
WHERE n.number = :number
