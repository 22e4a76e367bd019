-- grain:  one row per line of the run that cannot be paid now, in order, with the reason's code
-- params: none (reads payable)
SELECT i.number AS invoice_number, c.uscc AS company, n.name, CAST(p.fen AS bigint) AS fen, p.code,
    CASE WHEN h.party_id <> c.party_id THEN h.uscc END AS successor
FROM payable AS p
INNER JOIN invoice AS i ON i.company_id = p.company_id AND i.invoice_id = p.invoice_id
INNER JOIN party AS c ON c.party_id = p.company_id
INNER JOIN party AS h ON h.party_id = p.payee_id
LEFT JOIN party_name_at(9223372036854775807) AS n ON n.party_id = p.company_id
WHERE p.code IS NOT NULL
ORDER BY p.line_no
