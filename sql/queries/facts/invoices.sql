-- grain:  one row per invoice accepted by the cutoff, in order of acceptance: blues of the companies with their reds
-- params: cutoff (seal number), first_id, last_id (companies, inclusive)
WITH chosen AS (
    SELECT i.company_id, i.invoice_id
    FROM invoice AS i
    WHERE i.kind = 'blue' AND i.company_id BETWEEN CAST(:first_id AS bigint) AND CAST(:last_id AS bigint)
    UNION ALL
    SELECT r.company_id, r.invoice_id
    FROM invoice_number AS b
    INNER JOIN invoice AS r ON r.original_number = b.number AND r.original_number IS NOT NULL AND r.kind = 'red'
    WHERE b.company_id BETWEEN CAST(:first_id AS bigint) AND CAST(:last_id AS bigint)
),

-- of these companies alone, however much there is of others; a red-letter may name another buyer than its blue
better AS (
    SELECT e.*
    FROM evidence_at(CAST(:cutoff AS bigint)) AS e
    WHERE e.company_id BETWEEN CAST(:first_id AS bigint) AND CAST(:last_id AS bigint)
    UNION ALL
    SELECT e.*
    FROM chosen AS c
    CROSS JOIN LATERAL (
        SELECT x.*
        FROM evidence_at(CAST(:cutoff AS bigint)) AS x
        WHERE x.company_id = c.company_id AND x.invoice_id = c.invoice_id
        ORDER BY x.invoice_id
        LIMIT 1
    ) AS e
    WHERE c.company_id NOT BETWEEN CAST(:first_id AS bigint) AND CAST(:last_id AS bigint)
),

-- the lines of the best document of each invoice
best AS (
    SELECT l.company_id, l.invoice_id, l.line_no, l.tax_code, l.net_fen
    FROM chosen AS c
    INNER JOIN invoice_line AS l ON l.company_id = c.company_id AND l.invoice_id = c.invoice_id
    WHERE NOT EXISTS (
        SELECT FROM better AS v
        WHERE v.company_id = l.company_id AND v.invoice_id = l.invoice_id AND v.kind IS NOT NULL
    )
    UNION ALL
    SELECT e.company_id, e.invoice_id, e.line_no, e.tax_code, e.net_fen
    FROM chosen AS c
    INNER JOIN better AS v ON v.company_id = c.company_id AND v.invoice_id = c.invoice_id
    INNER JOIN evidence_line AS e
        ON e.company_id = v.company_id AND e.invoice_id = v.invoice_id AND e.act_id = v.act_id AND e.kind = v.kind
),

line AS (
    SELECT
        l.company_id, l.invoice_id,
        array_agg(l.line_no ORDER BY l.line_no) AS line_nos,
        array_agg(l.tax_code ORDER BY l.line_no) AS tax_codes,
        array_agg(l.net_fen ORDER BY l.line_no) AS nets_fen
    FROM best AS l
    GROUP BY l.company_id, l.invoice_id
)

SELECT
    i.invoice_id, i.number, i.kind, i.original_number, i.company_id, i.provider_id,
    s.accepted_before + i.place AS accepted_no, i.received_on,
    lower(coalesce(v.span, i.span)) AS from_on, upper(coalesce(v.span, i.span)) AS until_on,
    i.net_fen + coalesce(v.net_fen, 0) AS net_fen,
    i.tax_fen + coalesce(v.gross_fen - v.net_fen, 0) AS tax_fen,
    i.gross_fen + coalesce(v.gross_fen, 0) AS gross_fen,
    CASE WHEN v.template_act_id IS NULL THEN i.paid_fen ELSE v.paid_fen END AS paid_fen,
    coalesce(v.contract_no, i.contract_no) AS contract_no,
    coalesce(v.net_fen, 0) AS corrected_fen,
    l.line_nos, l.tax_codes, l.nets_fen
FROM chosen AS c
INNER JOIN invoice AS i ON i.company_id = c.company_id AND i.invoice_id = c.invoice_id
INNER JOIN line AS l ON l.company_id = c.company_id AND l.invoice_id = c.invoice_id
INNER JOIN seal AS s ON s.act_id = i.act_id
LEFT JOIN better AS v ON v.company_id = i.company_id AND v.invoice_id = i.invoice_id
WHERE s.no <= CAST(:cutoff AS bigint)
ORDER BY s.accepted_before + i.place
