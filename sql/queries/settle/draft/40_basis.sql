-- grain:  temporary table basis, one row per bill: its eligible lines and what limits them, in fen
-- params: none (reads asked, better, bill, red, code)
-- source: DESIGN 6.1; red-letters are added first, gross limits scale, nothing left gives 0
CREATE TEMPORARY TABLE basis ON COMMIT DROP AS
-- the lines of the best document of each invoice
WITH best AS NOT MATERIALIZED (
    SELECT l.company_id, l.invoice_id, l.tax_code, l.net_fen
    FROM invoice_line AS l
    WHERE NOT EXISTS (
        SELECT FROM better AS v
        WHERE v.company_id = l.company_id AND v.invoice_id = l.invoice_id AND v.kind IS NOT NULL
    )
    UNION ALL
    SELECT e.company_id, e.invoice_id, e.tax_code, e.net_fen
    FROM better AS v
    INNER JOIN evidence_line AS e
        ON e.company_id = v.company_id AND e.invoice_id = v.invoice_id AND e.act_id = v.act_id AND e.kind = v.kind
),

line AS (
    SELECT l.company_id, l.invoice_id, l.tax_code, l.net_fen
    FROM best AS l
    UNION ALL
    SELECT r.company_id, r.invoice_id, l.tax_code, l.net_fen
    FROM red AS r
    INNER JOIN best AS l ON l.company_id = r.red_company_id AND l.invoice_id = r.red_invoice_id
),

summed AS (
    SELECT
        b.company_id, b.invoice_id,
        sum(CASE WHEN b.policy_id IS NULL OR (c.eligible AND NOT b.decided_on <@ c.lost_on) THEN l.net_fen ELSE 0 END)
            AS eligible_fen,
        sum(CASE WHEN b.policy_id IS NULL OR (c.eligible AND NOT b.decided_on <@ c.lost_on) THEN 0 ELSE l.net_fen END)
            AS excluded_fen
    FROM bill AS b
    INNER JOIN line AS l ON l.company_id = b.company_id AND l.invoice_id = b.invoice_id
    LEFT JOIN code AS c ON c.policy_id = b.policy_id AND c.tax_code = l.tax_code
    GROUP BY b.company_id, b.invoice_id
),

reversed AS (
    SELECT r.company_id, r.invoice_id, sum(r.gross_fen) AS gross_fen, sum(r.paid_fen) AS paid_fen
    FROM red AS r
    GROUP BY r.company_id, r.invoice_id
),

registered AS (
    SELECT p.invoice_number, sum(p.amount_fen) AS paid_fen
    FROM invoice_payment_at((SELECT a.cutoff FROM asked AS a)) AS p
    GROUP BY p.invoice_number
),

limited AS (
    SELECT
        b.company_id, b.invoice_id,
        greatest(s.eligible_fen, 0) AS eligible_fen, s.excluded_fen,
        b.gross_fen + coalesce(r.gross_fen, 0) AS gross_fen,
        CASE
            WHEN b.paid_fen IS NOT NULL OR r.paid_fen IS NOT NULL OR p.paid_fen IS NOT NULL
                THEN coalesce(b.paid_fen, 0) + coalesce(r.paid_fen, 0) + coalesce(p.paid_fen, 0)
        END AS paid_fen
    FROM bill AS b
    INNER JOIN summed AS s ON s.company_id = b.company_id AND s.invoice_id = b.invoice_id
    LEFT JOIN reversed AS r ON r.company_id = b.company_id AND r.invoice_id = b.invoice_id
    LEFT JOIN registered AS p ON p.invoice_number = b.number
)

SELECT
    l.company_id, l.invoice_id,
    CAST(l.eligible_fen AS bigint) AS eligible_fen,
    CAST(l.excluded_fen AS bigint) AS excluded_fen,
    CAST(CASE
        WHEN l.paid_fen IS NULL THEN l.eligible_fen
        WHEN l.gross_fen <= 0 OR l.paid_fen <= 0 THEN 0
        WHEN l.paid_fen >= l.gross_fen THEN l.eligible_fen
        ELSE div(l.eligible_fen * l.paid_fen, l.gross_fen)
    END AS bigint) AS basis_fen
FROM limited AS l
