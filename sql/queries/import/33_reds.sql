-- grain:  updates each red-letter: accepted, held for its blue, or rejected
-- params: none (reads judged)
-- source: DESIGN 6.7; never takes net, tax or gross below zero, in the order of acceptance. A red-letter that does
--         not fit leaves what is left of its blue to the next one.
WITH RECURSIVE blue AS (
    SELECT j.number, j.company_id, j.provider_uscc, j.net_fen, j.tax_fen, j.gross_fen
    FROM judged AS j
    WHERE j.outcome = 'accepted' AND j.kind = 'blue'
    UNION ALL
    SELECT i.number, i.company_id, p.uscc, m.net_fen, m.tax_fen, m.gross_fen
    FROM judged AS r
    INNER JOIN invoice_number AS n ON n.number = r.original_number
    INNER JOIN invoice AS i ON i.company_id = n.company_id AND i.invoice_id = n.invoice_id AND i.kind = 'blue'
    INNER JOIN invoice_money AS m ON m.company_id = i.company_id AND m.invoice_id = i.invoice_id
    INNER JOIN party AS p ON p.party_id = i.provider_id
    WHERE r.outcome = 'red'
    GROUP BY i.number, i.company_id, p.uscc, m.net_fen, m.tax_fen, m.gross_fen
),

earlier AS (
    SELECT r.original_number, sum(m.net_fen) AS net_fen, sum(m.tax_fen) AS tax_fen, sum(m.gross_fen) AS gross_fen
    FROM invoice AS r
    INNER JOIN invoice_money AS m ON m.company_id = r.company_id AND m.invoice_id = r.invoice_id
    WHERE
        r.kind = 'red' AND r.original_number IN (SELECT j.original_number FROM judged AS j WHERE j.outcome = 'red')
        AND NOT EXISTS (SELECT FROM judged AS t WHERE t.number = r.number AND t.outcome = 'red')
    GROUP BY r.original_number
),

red AS (
    SELECT
        j.number, j.original_number, j.net_fen, j.tax_fen, j.gross_fen, b.number AS blue_number,
        b.company_id <> j.company_id OR b.provider_uscc <> j.provider_uscc AS other_parties,
        b.net_fen + coalesce(e.net_fen, 0) AS net_left, b.tax_fen + coalesce(e.tax_fen, 0) AS tax_left,
        b.gross_fen + coalesce(e.gross_fen, 0) AS gross_left,
        row_number() OVER (
            PARTITION BY j.original_number, b.company_id <> j.company_id OR b.provider_uscc <> j.provider_uscc
            ORDER BY
                j.held_upload_id > 0, CASE WHEN j.held_upload_id = 0 THEN j.upload_id END,
                CASE WHEN j.held_upload_id = 0 THEN j.first_row END, j.number
        ) AS turn
    FROM judged AS j
    LEFT JOIN blue AS b ON b.number = j.original_number
    LEFT JOIN earlier AS e ON e.original_number = j.original_number
    WHERE j.outcome = 'red'
),

walk AS (
    SELECT
        r.number, r.original_number, r.turn, f.fits, r.net_left + f.fits * r.net_fen AS net_left,
        r.tax_left + f.fits * r.tax_fen AS tax_left, r.gross_left + f.fits * r.gross_fen AS gross_left
    FROM red AS r
    CROSS JOIN LATERAL (
        SELECT CAST(least(r.net_left + r.net_fen, r.tax_left + r.tax_fen, r.gross_left + r.gross_fen) >= 0 AS integer)
    ) AS f (fits)
    WHERE r.turn = 1 AND r.blue_number IS NOT NULL AND NOT r.other_parties
    UNION ALL
    SELECT
        r.number, r.original_number, r.turn, f.fits, w.net_left + f.fits * r.net_fen,
        w.tax_left + f.fits * r.tax_fen, w.gross_left + f.fits * r.gross_fen
    FROM walk AS w
    INNER JOIN red AS r ON r.original_number = w.original_number AND r.turn = w.turn + 1 AND NOT r.other_parties
    CROSS JOIN LATERAL (
        SELECT CAST(least(w.net_left + r.net_fen, w.tax_left + r.tax_fen, w.gross_left + r.gross_fen) >= 0 AS integer)
    ) AS f (fits)
),

ending AS (
    SELECT
        r.number, r.blue_number, r.other_parties, w.fits,
        r.blue_number IS NULL AND (
            EXISTS (SELECT FROM judged AS o WHERE o.number = r.original_number AND o.kind = 'red')
            OR EXISTS (
                SELECT FROM invoice_number AS n
                INNER JOIN invoice AS i
                    ON i.company_id = n.company_id AND i.invoice_id = n.invoice_id AND i.kind = 'red'
                WHERE n.number = r.original_number
            )
        ) AS of_red
    FROM red AS r
    LEFT JOIN walk AS w ON w.number = r.number
)

UPDATE judged AS j
SET
    outcome = CASE
        WHEN e.of_red THEN 'rejected'
        WHEN e.blue_number IS NULL THEN 'held'
        WHEN e.other_parties OR e.fits = 0 THEN 'rejected'
        ELSE 'accepted'
    END,
    code = CASE
        WHEN e.of_red THEN 'original_is_red'
        WHEN e.blue_number IS NULL THEN 'original_missing'
        WHEN e.other_parties THEN 'red_parties_differ'
        WHEN e.fits = 0 THEN 'red_exceeds_blue'
        ELSE ''
    END
FROM ending AS e
WHERE e.number = j.number AND j.outcome = 'red'
