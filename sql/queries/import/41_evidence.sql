-- grain:  inserts a warning for each further document that names other parties than the accepted invoice, and what is
--         wrong with one that names no provider and is about another provider's invoice
-- params: none (reads judged, context)
INSERT INTO found (upload_id, code, sheet, row_no, value, invoice_number)
SELECT j.upload_id, j.code, j.sheet, j.first_row, '', j.number
FROM judged AS j
WHERE j.code = 'not_the_uploader' AND j.fault IS NULL AND j.held_upload_id = 0
UNION ALL
SELECT j.upload_id, 'evidence_parties_differ', j.sheet, j.first_row, j.number, j.number
FROM judged AS j
INNER JOIN context AS x ON x.upload_id = j.upload_id
INNER JOIN invoice_number AS n ON n.number = j.number
INNER JOIN invoice AS i ON i.company_id = n.company_id AND i.invoice_id = n.invoice_id AND i.evidence <> x.evidence
INNER JOIN party AS c ON c.party_id = i.company_id
INNER JOIN party AS p ON p.party_id = i.provider_id
WHERE
    j.outcome = 'duplicate' AND j.held_upload_id = 0 AND (c.uscc <> j.company_uscc OR p.uscc <> j.provider_uscc)
