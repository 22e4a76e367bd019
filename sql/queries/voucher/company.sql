-- grain:  one row: a company that was ever registered as such or had an invoice, and into which it was merged
-- params: uscc
SELECT p.party_id, p.uscc, g.merged_on, s.uscc AS survivor
FROM party AS p
LEFT JOIN merger AS g ON g.absorbed_id = p.party_id
LEFT JOIN party AS s ON s.party_id = g.survivor_id
WHERE
    p.uscc = :uscc
    AND (
        EXISTS (SELECT FROM qualification AS q WHERE q.company_id = p.party_id)
        OR EXISTS (SELECT FROM invoice AS i WHERE i.company_id = p.party_id)
    )
