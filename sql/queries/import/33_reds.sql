-- grain:  updates each red-letter: accepted, held for its blue, or rejected
-- params: none (reads judged)
-- source: DESIGN 6.7; never takes net, tax or gross below zero, in the order of acceptance
WITH blue AS (
    SELECT j.number, j.company_id, j.provider_uscc, j.net_fen, j.tax_fen, j.gross_fen
    FROM judged AS j
    WHERE j.outcome = 'accepted' AND j.kind = 'blue'
    UNION ALL
    SELECT i.number, i.company_id, p.uscc, i.net_fen, i.tax_fen, i.gross_fen
    FROM judged AS r
    INNER JOIN invoice_number AS n ON n.number = r.original_number
    INNER JOIN invoice AS i ON i.company_id = n.company_id AND i.invoice_id = n.invoice_id AND i.kind = 'blue'
    INNER JOIN party AS p ON p.party_id = i.provider_id
    WHERE r.outcome = 'red'
    GROUP BY i.number, i.company_id, p.uscc, i.net_fen, i.tax_fen, i.gross_fen
),

earlier AS (
    SELECT r.original_number, sum(r.net_fen) AS net_fen, sum(r.tax_fen) AS tax_fen, sum(r.gross_fen) AS gross_fen
    FROM invoice AS r
    WHERE r.kind = 'red' AND r.original_number IN (SELECT j.original_number FROM judged AS j WHERE j.outcome = 'red')
    GROUP BY r.original_number
),

cumulated AS (
    SELECT
        j.number, b.number AS blue_number,
        b.company_id <> j.company_id OR b.provider_uscc <> j.provider_uscc AS other_parties,
        b.net_fen + coalesce(e.net_fen, 0) + sum(j.net_fen) OVER w < 0
        OR b.tax_fen + coalesce(e.tax_fen, 0) + sum(j.tax_fen) OVER w < 0
        OR b.gross_fen + coalesce(e.gross_fen, 0) + sum(j.gross_fen) OVER w < 0 AS exceeds
    FROM judged AS j
    LEFT JOIN blue AS b ON b.number = j.original_number
    LEFT JOIN earlier AS e ON e.original_number = j.original_number
    WHERE j.outcome = 'red'
    WINDOW w AS (PARTITION BY j.original_number ORDER BY j.held_upload_id > 0, j.first_row, j.number)
)

UPDATE judged AS j
SET
    outcome = CASE
        WHEN c.blue_number IS NULL THEN 'held'
        WHEN c.other_parties OR c.exceeds THEN 'rejected'
        ELSE 'accepted'
    END,
    code = CASE
        WHEN c.blue_number IS NULL THEN 'original_missing'
        WHEN c.other_parties THEN 'red_parties_differ'
        WHEN c.exceeds THEN 'red_exceeds_blue'
        ELSE ''
    END
FROM cumulated AS c
WHERE c.number = j.number
