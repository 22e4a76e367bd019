-- grain:  one row per line of the run that is not in a batch made now, in order, with the reason's code
-- params: batch (the one that waits for its decision: what can be paid besides waits for it; null for none)
--         (reads payable)
SELECT i.number AS invoice_number, c.uscc AS company, n.name, CAST(p.fen AS bigint) AS fen,
    coalesce(p.code, 'next_batch') AS code,
    CASE WHEN h.party_id <> c.party_id THEN h.uscc END AS successor
FROM payable AS p
INNER JOIN invoice AS i ON i.company_id = p.company_id AND i.invoice_id = p.invoice_id
INNER JOIN party AS c ON c.party_id = p.company_id
INNER JOIN party AS h ON h.party_id = p.payee_id
LEFT JOIN party_name_at(9223372036854775807) AS n ON n.party_id = p.company_id
WHERE
    p.code IS NOT NULL
    OR (CAST(:batch AS bigint) IS NOT NULL AND NOT EXISTS (
        SELECT FROM payment AS y
        INNER JOIN payment_line AS l ON l.payment_id = y.payment_id
        WHERE
            y.batch_id = CAST(:batch AS bigint) AND l.company_id = p.company_id AND l.run_id = p.run_id
            AND l.line_no = p.line_no
    ))
ORDER BY p.line_no
