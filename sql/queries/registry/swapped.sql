-- grain:  one row per row of a relations or contracts file whose provider is known as a company only, and the reverse
-- params: rows (jsonb array)
SELECT r.row_no
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (provider_uscc text, company_uscc text, row_no integer)
INNER JOIN party AS p ON p.uscc = r.provider_uscc
INNER JOIN party AS c ON c.uscc = r.company_uscc
WHERE EXISTS (SELECT FROM qualification AS q WHERE q.company_id = p.party_id)
    AND NOT EXISTS (SELECT FROM listing AS l WHERE l.provider_id = p.party_id)
    AND EXISTS (SELECT FROM listing AS l WHERE l.provider_id = c.party_id)
    AND NOT EXISTS (SELECT FROM qualification AS q WHERE q.company_id = c.party_id)
ORDER BY r.row_no
