-- grain:  temporary table limited, one row per bill that is not all basis: lines of other tax codes, payments,
--         a contract, or a metered bill; limit_code: what makes its basis less than what is eligible
--         outside: not one line of the blue invoice belongs to the programme, so it has no claim there
--         what is left out never adds: discounts and red-letters under other tax codes lower the basis too
-- params: none (reads touched, better, bill, partial, red, code, contracted, metered)
-- source: DESIGN 6.1; gross limits scale what is eligible, nothing left gives 0, a net metered bill is a plain minimum
CREATE TEMPORARY TABLE limited ON COMMIT DROP AS
WITH doubtful AS (
    SELECT DISTINCT c.tax_code FROM code AS c WHERE NOT c.eligible OR NOT isempty(c.lost_on)
),

-- of the best document of each invoice
doubted AS (
    SELECT l.company_id, l.invoice_id, l.tax_code, l.net_fen
    FROM invoice_line AS l
    INNER JOIN touched AS k ON k.company_id = l.company_id
    INNER JOIN doubtful AS c ON c.tax_code = l.tax_code
    WHERE NOT EXISTS (
        SELECT FROM better AS v
        WHERE v.company_id = l.company_id AND v.invoice_id = l.invoice_id AND v.kind IS NOT NULL
    )
    UNION ALL
    SELECT e.company_id, e.invoice_id, e.tax_code, e.net_fen
    FROM better AS v
    INNER JOIN evidence_line AS e
        ON e.company_id = v.company_id AND e.invoice_id = v.invoice_id AND e.act_id = v.act_id AND e.kind = v.kind
    INNER JOIN doubtful AS c ON c.tax_code = e.tax_code
),

line AS (
    SELECT l.company_id, l.invoice_id, l.tax_code, l.net_fen, 1 AS own
    FROM doubted AS l
    UNION ALL
    SELECT r.company_id, r.invoice_id, l.tax_code, l.net_fen, 0
    FROM red AS r
    INNER JOIN doubted AS l ON l.company_id = r.red_company_id AND l.invoice_id = r.red_invoice_id
),

-- of the bills that have such lines; where no code is doubtful not one is looked at
decided AS (
    SELECT b.company_id, b.invoice_id, b.doc_no, lower(b.span) AS begins_on, lower(b.span) AS decided_on
    FROM bill AS b
    WHERE b.doc_no IS NOT NULL AND (b.company_id, b.invoice_id) IN (SELECT l.company_id, l.invoice_id FROM line AS l)
    AND EXISTS (SELECT FROM doubtful)
    UNION ALL
    SELECT p.company_id, p.invoice_id, p.doc_no, lower(p.span), p.decided_on
    FROM partial AS p
),

excluded AS (
    SELECT l.company_id, l.invoice_id, sum(l.net_fen) AS excluded_fen, sum(l.own) AS lines
    FROM line AS l
    INNER JOIN decided AS d ON d.company_id = l.company_id AND d.invoice_id = l.invoice_id
    INNER JOIN code AS c
        ON c.doc_no = d.doc_no AND c.tax_code = l.tax_code AND d.begins_on <@ c.since
        AND (NOT c.eligible OR d.decided_on <@ c.lost_on)
    GROUP BY l.company_id, l.invoice_id
),

-- how many lines the best document of each has that has lost some
counted AS (
    SELECT l.company_id, l.invoice_id, count(*) AS lines
    FROM excluded AS x
    INNER JOIN invoice_line AS l ON l.company_id = x.company_id AND l.invoice_id = x.invoice_id
    WHERE NOT EXISTS (
        SELECT FROM better AS v
        WHERE v.company_id = l.company_id AND v.invoice_id = l.invoice_id AND v.kind IS NOT NULL
    )
    GROUP BY l.company_id, l.invoice_id
    UNION ALL
    SELECT v.company_id, v.invoice_id, count(*)
    FROM excluded AS x
    INNER JOIN better AS v ON v.company_id = x.company_id AND v.invoice_id = x.invoice_id
    INNER JOIN evidence_line AS e
        ON e.company_id = v.company_id AND e.invoice_id = v.invoice_id AND e.act_id = v.act_id AND e.kind = v.kind
    GROUP BY v.company_id, v.invoice_id
),

-- looked up while the bills are read, so that few are joined to what limits them; what is paid in full does not
concerned AS (
    SELECT x.company_id, x.invoice_id FROM excluded AS x
    UNION ALL
    SELECT k.company_id, k.invoice_id FROM contracted AS k
    UNION ALL
    SELECT g.company_id, g.invoice_id FROM metered AS g
),

eligible AS (
    SELECT
        b.company_id, b.invoice_id, b.gross_fen, least(b.paid_fen, k.left_fen, g.gross_fen) AS limit_fen,
        CASE
            WHEN b.paid_fen <= least(b.paid_fen, k.left_fen, g.gross_fen) THEN 'unpaid'
            WHEN k.left_fen <= least(k.left_fen, g.gross_fen) THEN 'over_contract'
            ELSE 'over_metered'
        END AS limit_code,
        g.net_fen AS metered_fen,
        coalesce(x.lines = n.lines, FALSE) AS outside,
        greatest(b.net_fen - greatest(x.excluded_fen, 0), 0) AS eligible_fen,
        greatest(x.excluded_fen, 0) AS excluded_fen
    FROM bill AS b
    LEFT JOIN excluded AS x ON x.company_id = b.company_id AND x.invoice_id = b.invoice_id
    LEFT JOIN counted AS n ON n.company_id = b.company_id AND n.invoice_id = b.invoice_id
    LEFT JOIN contracted AS k ON k.company_id = b.company_id AND k.invoice_id = b.invoice_id
    LEFT JOIN metered AS g ON g.company_id = b.company_id AND g.invoice_id = b.invoice_id
    WHERE
        (
            (b.paid_fen IS NOT NULL AND (b.paid_fen < b.gross_fen OR b.gross_fen <= 0))
            OR (b.company_id, b.invoice_id) IN (SELECT e.company_id, e.invoice_id FROM concerned AS e)
        )
        AND (
            (b.paid_fen IS NOT NULL AND (b.paid_fen < b.gross_fen OR b.gross_fen <= 0))
            OR x.excluded_fen IS NOT NULL OR k.left_fen < b.gross_fen OR g.gross_fen < b.gross_fen
            OR g.net_fen < b.net_fen
        )
),

scaled AS (
    SELECT
        e.*,
        CASE
            WHEN e.limit_fen IS NULL THEN e.eligible_fen
            WHEN e.gross_fen <= 0 OR e.limit_fen <= 0 THEN 0
            WHEN e.limit_fen >= e.gross_fen THEN e.eligible_fen
            ELSE div(e.eligible_fen * e.limit_fen, e.gross_fen)
        END AS scaled_fen
    FROM eligible AS e
)

SELECT
    c.company_id, c.invoice_id, c.outside,
    CASE WHEN c.metered_fen < c.scaled_fen THEN 'over_metered' ELSE c.limit_code END AS limit_code,
    CAST(c.eligible_fen AS bigint) AS eligible_fen,
    CAST(c.excluded_fen AS bigint) AS excluded_fen,
    CAST(least(c.scaled_fen, c.metered_fen) AS bigint) AS basis_fen
FROM scaled AS c
