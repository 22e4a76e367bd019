-- grain:  temporary table cut, one row per invoice, year and reason: the part of the basis that does not count
-- params: none (reads doc, better, red, pair, bill, partial, limited, metered)
-- source: DESIGN 6.3; every piece that does not count keeps its reason, the first that applies
CREATE TEMPORARY TABLE cut ON COMMIT DROP AS
WITH in_force AS (
    SELECT coalesce(range_agg(d.force), '{}') AS days, min(lower(d.force)) AS first_on FROM doc AS d WHERE d.own
),

partly AS (
    SELECT
        b.company_id, b.invoice_id, b.span, coalesce(m.basis_fen, greatest(b.net_fen, 0)) AS basis_fen,
        datemultirange(b.span) AS whole, f.days AS in_force, f.first_on, p.qualified, p.listed, p.related, b.days
    FROM partial AS b
    INNER JOIN pair AS p ON p.company_id = b.company_id AND p.provider_id = b.provider_id
    LEFT JOIN limited AS m ON m.company_id = b.company_id AND m.invoice_id = b.invoice_id
    CROSS JOIN in_force AS f
    WHERE b.days <> datemultirange(b.span)
),

-- what red-letters, and documents that were settled on, took from the net
lessened AS (
    SELECT r.company_id, r.invoice_id, 'red_letter' AS code, -sum(r.net_fen) AS amount_fen
    FROM red AS r
    GROUP BY r.company_id, r.invoice_id
    UNION ALL
    SELECT v.company_id, v.invoice_id, 'corrected', -v.net_fen
    FROM better AS v
    WHERE v.net_fen < 0
),

reason AS (
    SELECT
        p.company_id, p.invoice_id, p.span, p.basis_fen AS amount_fen, r.code, r.days
    FROM partly AS p
    CROSS JOIN LATERAL (
        VALUES
        ('before_policy', (p.whole - p.in_force) * datemultirange(daterange(NULL, p.first_on))),
        ('after_policy', (p.whole - p.in_force) - datemultirange(daterange(NULL, p.first_on))),
        ('not_qualified', p.whole * p.in_force - p.qualified),
        ('not_listed', p.whole * p.qualified - p.listed),
        ('related_party', p.whole * p.qualified * p.listed * p.related),
        ('past_claim_deadline', p.whole * p.qualified * p.listed - p.related - p.days)
    ) AS r (code, days)
    UNION ALL
    SELECT b.company_id, b.invoice_id, b.span, x.amount_fen, x.code, datemultirange(b.span)
    FROM limited AS m
    INNER JOIN bill AS b ON b.company_id = m.company_id AND b.invoice_id = m.invoice_id
    CROSS JOIN LATERAL (
        VALUES ('tax_code_not_eligible', m.excluded_fen), (m.limit_code, m.eligible_fen - m.basis_fen)
    ) AS x (code, amount_fen)
    WHERE (m.excluded_fen > 0 OR m.eligible_fen > m.basis_fen) AND x.amount_fen > 0
    UNION ALL
    SELECT b.company_id, b.invoice_id, b.span, x.amount_fen, x.code, datemultirange(b.span)
    FROM lessened AS x
    INNER JOIN bill AS b ON b.company_id = x.company_id AND b.invoice_id = x.invoice_id
),

piece AS (
    SELECT
        r.company_id, r.invoice_id, y.year AS cap_year, r.code,
        div(r.amount_fen * i.until, i.n) - div(r.amount_fen * i.before, i.n) AS amount_fen
    FROM reason AS r
    LEFT JOIN metered AS g ON g.company_id = r.company_id AND g.invoice_id = r.invoice_id
    CROSS JOIN LATERAL generate_series(
        CAST(extract(YEAR FROM lower(r.span)) AS integer), CAST(extract(YEAR FROM upper(r.span) - 1) AS integer)
    ) AS y (year)
    CROSS JOIN LATERAL unnest(
        r.days * datemultirange(daterange(make_date(y.year, 1, 1), make_date(y.year + 1, 1, 1)))
    ) AS x (days)
    CROSS JOIN LATERAL (
        SELECT
            CAST(coalesce(g.log[lower(x.days) - lower(r.span) + 1], lower(x.days) - lower(r.span)) AS numeric)
                AS before,
            CAST(coalesce(g.log[upper(x.days) - lower(r.span) + 1], upper(x.days) - lower(r.span)) AS numeric)
                AS until,
            coalesce(g.log[upper(r.span) - lower(r.span) + 1], upper(r.span) - lower(r.span)) AS n
    ) AS i
)

SELECT p.company_id, p.invoice_id, p.cap_year, p.code, CAST(sum(p.amount_fen) AS bigint) AS amount_fen
FROM piece AS p
GROUP BY p.company_id, p.invoice_id, p.cap_year, p.code
HAVING sum(p.amount_fen) > 0
